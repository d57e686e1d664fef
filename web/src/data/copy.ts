/**
 * A copy of a release as files beside the page (`clio export --as site`). Browsers let a page from
 * file:// read no files, but load scripts; so each part of the data is a script that hands itself
 * over. What a part holds are answers of the API, packed, by what was asked.
 */

import type { ClusterDetail, Granularity, Trends } from "../api";
import { ApiError } from "./errors";
import { unpack } from "./packing";
import type { Parameters, Source } from "./source";
import { together, trendOf } from "./trends";

export interface Copy {
  /** The primary facet: what an answer is about that names none. */
  facet: string | null;
  /** Of the trends as released. */
  granularity: Granularity | null;
  /** How many parts the answers to a kind of path are spread over. */
  parts: Record<string, number>;
  /** Answers that are there as files. */
  files: string[];
  take?: (part: string, bytes: number, letters: string) => void;
}

declare global {
  var clioCopy: Copy | undefined;
}

type Part = Record<string, unknown>;

/** How many parts are kept once loaded. */
const KEPT = 40;

export function copied(copy: Copy): Source {
  const parts = new Map<string, Promise<Part>>();
  const waiting = new Map<string, (data: Uint8Array<ArrayBuffer>) => void>();
  copy.take = (name, bytes, letters) => waiting.get(name)?.(decoded(letters, bytes));

  function load(name: string): Promise<Part> {
    const known = parts.get(name);
    if (known) return known;
    const loading = new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      script.onload = () => script.remove();
      script.onerror = () => {
        script.remove();
        parts.delete(name);
        reject(new ApiError(0, `A file of this copy is missing: data/${name}.js`));
      };
      document.head.append(script);
    }).then(inflate);
    parts.set(name, loading);
    for (const oldest of parts.keys()) {
      if (parts.size <= KEPT) break;
      parts.delete(oldest);
    }
    return loading;
  }

  async function stored(path: string, parameters: Parameters): Promise<unknown> {
    const key = keyOf(path, parameters, copy.facet);
    // A list is not kept with the many that it lists.
    const kind = path.replace(/\/.*/, "-each");
    const among = copy.parts[kind];
    const part = among ? await load(`${kind}/${hash(key) % among}`) : {};
    // A part is made of text from elsewhere: a key such as "constructor" is none of its own.
    if (!Object.hasOwn(part, key)) {
      throw new ApiError(404, "This copy of the release holds no answer to that; a server would.");
    }
    return unpack(part[key]);
  }

  async function series(id: string, rest: Parameters): Promise<Trends> {
    return (await stored("trends", { ...rest, cluster: id })) as Trends;
  }

  /** Answers that are put together from others. */
  const composed: Record<string, (parameters: Parameters, path: string) => Promise<unknown>> = {
    async trends({ cluster = [], granularity, ...rest }) {
      const ids = Array.isArray(cluster) ? cluster : [String(cluster)];
      const answers = await Promise.all(ids.map((id) => series(id, rest)));
      return together(answers, granularity as Granularity | null);
    },
    async cluster(parameters, path) {
      const [detail, trends] = await Promise.all([
        stored(path, parameters) as Promise<ClusterDetail>,
        copy.granularity && series(decodeURIComponent(path.slice("clusters/".length)), parameters),
      ]);
      return trends ? { ...detail, trend: trendOf(trends) } : detail;
    },
  };

  return {
    answer(path, parameters) {
      const made = composed[path.replace(/^clusters\/[^/]+$/, "cluster")];
      return made ? made(parameters, path) : stored(path, parameters);
    },
    file(path, { format = "json" }) {
      const name = `${path}.${String(format)}`;
      return copy.files.includes(name) ? `data/${name}` : null;
    },
  };
}

/** How an answer is called in a copy: as it is asked for, parameters in order, facet by name. */
function keyOf(path: string, parameters: Parameters, primary: string | null): string {
  const given = Object.entries({ ...parameters })
    .map(([name, value]) => [name, name === "facet" ? (value ?? primary) : value] as const)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort();
  return [path, ...given].join("?");
}

/** FNV-1a over the UTF-8 bytes, as an unsigned number of 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    state = Math.imul(state ^ byte, 0x01000193);
  }
  return state >>> 0;
}

/** JSON that was compressed. */
async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Part> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).json()) as Part;
}

/** Bytes that were written as letters from U+0100 on, 15 bits each. */
function decoded(letters: string, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let [bits, held, at] = [0, 0, 0];
  for (let i = 0; i < letters.length; i++) {
    bits = (bits << 15) | (letters.charCodeAt(i) - 0x100);
    held += 15;
    while (held >= 8 && at < length) {
      held -= 8;
      bytes[at++] = bits >> held;
      bits &= (1 << held) - 1;
    }
  }
  return bytes;
}

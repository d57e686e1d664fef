/** The search over titles and summaries, which forgives typing errors and answers as one types. */

import MiniSearch from "minisearch";
import { type Cluster, ROOT } from "../api";
import { folded } from "../values";

export interface Hit {
  cluster: Cluster;
  /** Titles on the way to it, without the root and itself. */
  path: string[];
  /** Words of its texts that match, folded. */
  words: ReadonlySet<string>;
}

export interface Index {
  search: (query: string) => Hit[];
}

const TITLE = 4;
/** Words of so many letters may have one mistake. */
const FORGIVEN = 4;
/** Where nothing is found so, words of so many letters may have two: neighbours that changed places. */
const TWICE = 5;
const AT_ONCE = 400;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts written without spaces: pairs of letters stand for words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Khmer}\p{sc=Lao}]/u;

export function tokens(text: string): string[] {
  return (text.match(WORD) ?? []).flatMap((word) => {
    if (!UNSPACED.test(word)) return [word];
    const letters = [...word];
    return letters.length < 2
      ? letters
      : letters.slice(1).map((letter, i) => `${letters[i]}${letter}`);
  });
}

export async function buildIndex(all: Cluster[]): Promise<Index> {
  const clusters = all.filter((cluster) => cluster.cluster_id !== ROOT);
  const byId = new Map(clusters.map((cluster) => [cluster.cluster_id, cluster]));
  const texts = new MiniSearch<Cluster>({
    idField: "cluster_id",
    fields: ["title", "summary"],
    tokenize: tokens,
    processTerm: folded,
    searchOptions: {
      boost: { title: TITLE },
      combineWith: "AND",
      prefix: (term) => term.length > 1,
      fuzzy: (term) => (term.length >= FORGIVEN ? 1 : false),
      weights: { fuzzy: 0.2, prefix: 0.6 },
      // Of two that match alike the larger one comes first.
      boostDocument: (id) => 1 + 0.05 * Math.log1p(byId.get(id as string)?.conversations ?? 0),
    },
  });
  await texts.addAllAsync(clusters, { chunkSize: AT_ONCE });
  const more = (term: string) => (term.length >= TWICE ? 2 : term.length >= FORGIVEN ? 1 : false);
  return {
    search(query) {
      const strictly = texts.search(query);
      const found = strictly.length > 0 ? strictly : texts.search(query, { fuzzy: more });
      return found.flatMap(({ id, match }) => {
        const cluster = byId.get(id as string);
        return cluster
          ? [{ cluster, path: pathTo(cluster, byId), words: new Set(Object.keys(match)) }]
          : [];
      });
    },
  };
}

function pathTo(cluster: Cluster, byId: ReadonlyMap<string, Cluster>): string[] {
  const way: string[] = [];
  for (
    let at = byId.get(cluster.parent_id ?? "");
    at !== undefined;
    at = byId.get(at.parent_id ?? "")
  ) {
    way.unshift(at.title);
  }
  return way;
}

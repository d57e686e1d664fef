/** Where the page has its data from: a server that is asked, or a copy that lies beside it. */

import { copied } from "./copy";
import { server } from "./server";

export type Parameters = Record<string, string | number | string[] | null>;

export interface Source {
  /** The API's answer to a path under `api/v1/`. */
  answer: (path: string, parameters: Parameters, signal: AbortSignal) => Promise<unknown>;
  /** Address of an answer as a file; null where this source has none. */
  file: (path: string, parameters: Parameters) => string | null;
}

/** A copy says what it holds before the page begins: `data/index.js`. */
export const source: Source = globalThis.clioCopy ? copied(globalThis.clioCopy) : server;

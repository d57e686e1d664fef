/** What of the API is not of the release but of this server: edits, traces, what is restricted. */

import { useEffect, useState } from "preact/hooks";
import { ApiError } from "./data/errors";
import { server } from "./data/server";

/** What this server offers beside the release. */
export interface Serving {
  role: "release" | "safety";
  edit: boolean;
  traces: boolean;
}

const NOTHING: Serving = { role: "release", edit: false, traces: false };

/** A copy of a release has no server, and so nothing beside the release. */
export const isCopy = () => globalThis.clioCopy !== undefined;

let asked: Promise<Serving> | null = null;

export function useServing(): Serving {
  const [serving, setServing] = useState(NOTHING);
  useEffect(() => {
    if (isCopy()) return;
    asked ??= read<Serving>("serving", new AbortController().signal);
    asked.then(setServing, () => {
      asked = null;
    });
  }, []);
  return serving;
}

const read = async <T>(path: string, signal: AbortSignal, parameters = {}): Promise<T> =>
  (await server.answer(path, parameters, signal)) as T;

async function write<T>(path: string, body: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`api/v1/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "The server does not answer. Is it still running?");
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const said = (answer as { error?: { message?: string } } | null)?.error?.message;
    throw new ApiError(response.status, said ?? `The server answered ${response.status}.`);
  }
  return answer as T;
}

/* Edits */

export type EditState = "applied" | "waiting" | "set aside" | "undone" | "undo";

export interface Edit {
  edit: number;
  action: "rename" | "merge" | "move" | "hide" | "undo";
  cluster_id: string | null;
  title: string | null;
  into: string | null;
  parent_id: string | null;
  undoes: number | null;
  state: EditState;
  reasons: string[];
}

export interface Edits {
  edits: Edit[];
  command: string;
}

export type NewEdit =
  | { action: "rename"; cluster_id: string; title: string }
  | { action: "merge"; cluster_id: string; into: string }
  | { action: "move"; cluster_id: string; parent_id: string }
  | { action: "hide"; cluster_id: string }
  | { action: "undo"; undoes: number };

export const fetchEdits = (signal: AbortSignal) => read<Edits>("edits", signal);

/** Why a title may not be shown for a cluster; nothing where it may. */
export const checkTitle = (cluster_id: string, title: string) =>
  write<{ reasons: string[] }>("edits/check", { cluster_id, title });

export const addEdit = (edit: NewEdit) => write<Edit>("edits", edit);

/* Traces */

export interface Trace {
  conversation_id: string;
  created_at: string | null;
  messages: { role: string; content: string; cut: boolean }[];
  not_shown: number;
}

export interface Traces {
  total: number;
  offset: number;
  conversations: Trace[];
}

export const fetchTraces = (id: string, offset: number, limit: number, signal: AbortSignal) =>
  read<Traces>(`traces/${encodeURIComponent(id)}`, signal, { offset, limit });

/* The safety role */

export interface SafetyCluster {
  facet: string;
  cluster_id: string;
  level: number;
  parent_id: string | null;
  title: string;
  conversations: number;
  accounts: number;
  concern: number | null;
}

export interface Network {
  network_id: string;
  kind: string;
  evidence: string[];
  accounts: number;
  conversations: number;
  first: string | null;
  last: string | null;
  growth: number | null;
  score: number;
  q: number;
  parts: Record<string, number | null>;
  explanation: string;
  fit: number;
  clusters: string[];
  titles: string[];
  template: string | null;
}

export interface RestrictedTable<Row> {
  looked: boolean;
  columns: string[];
  rows: Row[];
}

export interface Flag {
  label: string;
  facet: string;
  cluster_id: string;
  level: number;
  title: string | null;
  conversations: number;
  accounts: number;
  flagged: number;
  share: number | null;
  share_low: number | null;
  share_high: number | null;
  expected: number | null;
  q: number | null;
  concern: number | null;
  kind: string | null;
}

export interface RestrictedAlert {
  facet: string;
  cluster_id: string;
  kind: string;
  since: string;
  ratio: number | null;
  ratio_low: number | null;
  ratio_high: number | null;
  q: number | null;
  title: string;
  value: string | null;
  accounts: number;
  few_accounts: boolean;
  shown: boolean;
}

export const fetchSession = (signal: AbortSignal) =>
  read<{ until: string }>("safety/session", signal);

export const fetchConcern = (facet: string | null, signal: AbortSignal) =>
  read<{ facets: string[]; facet: string | null; clusters: SafetyCluster[] }>(
    "safety/clusters",
    signal,
    { facet },
  );

export const fetchNetworks = (signal: AbortSignal) =>
  read<{ looked: boolean; networks: Network[] }>("safety/networks", signal);

export const fetchNetworkAccounts = (id: string, signal: AbortSignal) =>
  read<{ accounts: { account: string; conversations: number; common: number }[] }>(
    `safety/networks/${encodeURIComponent(id)}/accounts`,
    signal,
  );

export const fetchFlags = (signal: AbortSignal) =>
  read<RestrictedTable<Flag>>("safety/flags", signal);

export const fetchRestrictedAlerts = (signal: AbortSignal) =>
  read<RestrictedTable<RestrictedAlert>>("safety/alerts", signal);

export async function leaveSafety(): Promise<void> {
  await fetch("api/v1/safety/leave", { method: "POST" });
}

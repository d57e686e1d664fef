/** The API of the server, typed. Every text in an answer may be hostile: show it as text only. */

export const ROOT = "__root__";

export interface FacetInfo {
  name: string;
  primary: boolean;
  clusters: number[];
}

export interface ReleaseInfo {
  number: number;
  clio_version: string;
  preset: string;
  thresholds: Record<string, number | boolean | null>;
  account_basis: "ids" | "none" | "mixed";
  publishable: boolean;
  privacy: { epsilon: number | null };
  totals: { conversations: number; accounts: number };
  outcomes: Record<string, number>;
  facets: FacetInfo[];
  period: { first: string; last: string } | null;
  granularity: Granularity | null;
  analyst: string;
  embedder: string;
  seed: number;
  notes: string[];
}

export type Granularity = "day" | "week" | "month";

export interface Withheld {
  facet: string;
  table: string;
  level: number | null;
  reason: string;
  cells: number;
  conversations: number | null;
}

export interface ReleaseResponse {
  info: ReleaseInfo;
  withheld: Withheld[];
}

export interface TreeNode {
  id: string;
  parent: string | null;
  level: number;
  title: string;
  conversations: number;
  share: number;
  low: number;
  high: number;
}

export interface Cluster {
  facet: string;
  cluster_id: string;
  level: number;
  parent_id: string | null;
  title: string;
  summary: string;
  conversations: number;
  accounts: number;
  share: number;
  share_low: number;
  share_high: number;
  other_conversations: number;
}

export interface PathStep {
  cluster_id: string;
  title: string;
}

export interface BreakdownCell {
  value: string;
  conversations: number;
  accounts: number;
  share: number;
  baseline: number | null;
}

export interface Breakdown {
  dimension: string;
  cells: BreakdownCell[];
  not_shown: number;
}

export interface Measure {
  measure: string;
  mean: number;
  low: number;
  high: number;
  conversations: number;
  baseline: number | null;
}

export interface TrendPoint {
  period: string;
  conversations: number;
  accounts: number;
  share: number;
  share_low: number;
  share_high: number;
}

export interface Trend {
  granularity: Granularity;
  periods: string[];
  points: TrendPoint[];
}

export interface ClusterDetail {
  cluster: Cluster;
  path: PathStep[];
  children: Cluster[];
  breakdowns: Breakdown[];
  numeric: Measure[];
  trend: Trend | null;
}

export interface SearchHit {
  cluster: Cluster;
  path: PathStep[];
}

export interface SearchResponse {
  query: string;
  total: number;
  hits: SearchHit[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function get<T>(
  path: string,
  parameters: Record<string, string | null>,
  signal: AbortSignal,
): Promise<T> {
  const given = Object.entries(parameters).filter((p): p is [string, string] => p[1] !== null);
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  let response: Response;
  try {
    response = await fetch(`api/${path}${query}`, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, "The server does not answer. Is it still running?");
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const said = (body as { error?: { message?: string } } | null)?.error?.message;
    throw new ApiError(response.status, said ?? `The server answered ${response.status}.`);
  }
  return body as T;
}

export const fetchRelease = (signal: AbortSignal) => get<ReleaseResponse>("release", {}, signal);

export const fetchTree = (facet: string | null, signal: AbortSignal) =>
  get<{ facet: string; nodes: TreeNode[] }>("tree", { facet }, signal);

export const fetchCluster = (id: string, facet: string | null, signal: AbortSignal) =>
  get<ClusterDetail>(`clusters/${encodeURIComponent(id)}`, { facet }, signal);

export const fetchSearch = (q: string, facet: string, signal: AbortSignal) =>
  get<SearchResponse>("search", { q, facet }, signal);

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

export type Granularity = "day" | "week" | "month" | "quarter" | "year";

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
  measures: Record<string, number>;
  change: Change | null;
}

/** Shares in the first and in the last third of the period; sure: the intervals do not overlap. */
export interface Change {
  first: number;
  first_low: number;
  first_high: number;
  last: number;
  last_low: number;
  last_high: number;
  sure: boolean;
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

export interface SeriesPoint extends TrendPoint {
  parts: number;
  withheld: number;
}

export interface Trends {
  facet: string;
  granularity: Granularity;
  available: Granularity[];
  periods: string[];
  totals: number[];
  series: { cluster_id: string; title: string; points: SeriesPoint[] }[];
}

export interface Dimension {
  dimension: string;
  values: { value: string; conversations: number; accounts: number; share: number }[];
  not_shown: number;
}

export interface Dimensions {
  facet: string;
  conversations: number;
  dimensions: Dimension[];
}

export interface CrossCell {
  conversations: number;
  share: number;
  low: number;
  high: number;
  ratio: number | null;
  sure: boolean;
}

export interface CrossRow {
  cluster_id: string;
  title: string;
  conversations: number;
  cells: (CrossCell | null)[];
}

export interface Crossing {
  facet: string;
  dimension: string;
  values: string[];
  baseline: (number | null)[];
  total: number;
  offset: number;
  clusters: CrossRow[];
}

export interface Surprise {
  cluster: Cluster;
  dimension: string;
  value: string;
  share: number;
  low: number;
  high: number;
  baseline: number;
}

export interface TableInfo {
  name: string;
  description: string;
  rows: number;
  columns: Record<string, string>;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Parameters = Record<string, string | number | string[] | null>;

/** Address of an answer of the API, relative to the page. */
export function address(path: string, parameters: Parameters = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) given.append(name, String(one));
  }
  return `api/v1/${path}${given.size > 0 ? `?${given}` : ""}`;
}

async function get<T>(path: string, parameters: Parameters, signal: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(path, parameters), { signal });
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

type Facet = string | null;

export const fetchRelease = (signal: AbortSignal) => get<ReleaseResponse>("release", {}, signal);

export const fetchTree = (facet: Facet, signal: AbortSignal) =>
  get<{ facet: string; nodes: TreeNode[] }>("tree", { facet }, signal);

export const fetchCluster = (id: string, facet: Facet, signal: AbortSignal) =>
  get<ClusterDetail>(`clusters/${encodeURIComponent(id)}`, { facet }, signal);

export const fetchSearch = (q: string, facet: string, signal: AbortSignal) =>
  get<SearchResponse>("search", { q, facet }, signal);

export const fetchTrends = (
  cluster: string[],
  granularity: Granularity | null,
  facet: Facet,
  signal: AbortSignal,
) => get<Trends>("trends", { cluster, granularity, facet }, signal);

export const fetchDimensions = (facet: Facet, signal: AbortSignal) =>
  get<Dimensions>("dimensions", { facet }, signal);

export const fetchCrossing = (
  dimension: string,
  facet: Facet,
  page: { level: number | null; offset: number; limit: number },
  signal: AbortSignal,
) => get<Crossing>(`dimensions/${encodeURIComponent(dimension)}`, { facet, ...page }, signal);

export const fetchSurprises = (facet: Facet, signal: AbortSignal) =>
  get<{ facet: string; surprises: Surprise[] }>("surprises", { facet }, signal);

export const fetchTables = (signal: AbortSignal) =>
  get<{ tables: TableInfo[] }>("tables", {}, signal);

/** The API of the server, typed. Every text in an answer may be hostile: show it as text only. */

import { type Parameters, source } from "./data/source";

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

export interface Alert {
  facet: string;
  cluster_id: string;
  level: number;
  title: string;
  cluster_title: string;
  kind: string;
  since: string;
  ratio: number;
  ratio_low: number;
  ratio_high: number | null;
  q: number;
  accounts: number | null;
  conversations: number | null;
}

export interface Alerts {
  looked: boolean;
  total: number;
  withheld: number;
  alerts: Alert[];
}

export interface Moved {
  cluster_id: string;
  title: string;
  level: number;
  before: number;
  before_low: number;
  before_high: number;
  after: number;
  after_low: number;
  after_high: number;
  ratio: number;
  ratio_low: number;
  ratio_high: number | null;
  sure: boolean;
  others: number | null;
}

export interface EventChanges {
  facet: string;
  date: string;
  granularity: Granularity;
  before: { first: string; last: string };
  after: { first: string; last: string };
  other_dates: number;
  compared: number;
  sure: number;
  rows: Moved[];
}

/** Clusters in two dimensions from 0 to 1, and the cells of a grid, column by column. */
export interface MapPlaces {
  facet: string;
  grid: number;
  places: { id: string[]; x: number[]; y: number[] };
  cells: { x: number[]; y: number[]; conversations: number[] };
}

export interface Shares {
  facet: string;
  dimension: string;
  value: string;
  baseline: number;
  id: string[];
  share: number[];
  low: number[];
  high: number[];
}

export interface CompareRow {
  cluster_id: string | null;
  dimension: string | null;
  title: string;
  first: number;
  first_low: number;
  first_high: number;
  second: number;
  second_low: number;
  second_high: number;
  difference: number;
  low: number;
  high: number;
  sure: boolean;
}

export interface Comparison {
  facet: string;
  sides: { name: string; conversations: number; accounts: number | null }[];
  rows: CompareRow[];
  withheld: number;
}

export interface TableInfo {
  name: string;
  description: string;
  rows: number;
  columns: Record<string, string>;
}

export { ApiError } from "./data/errors";

async function get<T>(path: string, parameters: Parameters, signal: AbortSignal): Promise<T> {
  return (await source.answer(path, parameters, signal)) as T;
}

/** Address of an answer as a file, or null where the page's data is a copy that has none. */
export const fileAddress = (path: string, parameters: Parameters = {}) =>
  source.file(path, parameters);

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

export const fetchAlerts = (facet: Facet, signal: AbortSignal) =>
  get<Alerts>("alerts", { facet }, signal);

export const fetchEvent = (date: string, periods: number, facet: Facet, signal: AbortSignal) =>
  get<EventChanges>("event", { date, periods, facet }, signal);

/** All clusters of a facet with their texts, each before its children. */
export async function fetchAllClusters(facet: Facet, signal: AbortSignal): Promise<Cluster[]> {
  const limit = 10_000;
  const clusters: Cluster[] = [];
  for (let total = 1; clusters.length < total; ) {
    const page = await get<{ total: number; clusters: Cluster[] }>(
      "clusters",
      { facet, offset: clusters.length, limit },
      signal,
    );
    if (page.clusters.length === 0) break;
    total = page.total;
    clusters.push(...page.clusters);
  }
  return clusters;
}

export const fetchMeant = (q: string, facet: Facet, signal: AbortSignal) =>
  get<SearchResponse>("search", { q, facet, by: "meaning" }, signal);

export const fetchMap = (facet: Facet, signal: AbortSignal) =>
  get<MapPlaces>("map", { facet }, signal);

export const fetchShares = (dimension: string, value: string, facet: Facet, signal: AbortSignal) =>
  get<Shares>("shares", { dimension, value, facet }, signal);

/** `periods`, `values` or `clusters`, with what they need. */
export const fetchComparison = (kind: string, given: Parameters, signal: AbortSignal) =>
  get<Comparison>(`compare/${kind}`, given, signal);

/** The state of the view, kept in the URL so that a link restores it and Back works. */

import { useCallback, useLayoutEffect, useState } from "preact/hooks";
import { type Granularity, ROOT } from "./api";

export const VIEWS = ["overview", "explore", "trends", "compare", "facets", "monitoring", "method", "safety"] as const;
export type View = (typeof VIEWS)[number];

/** How the view `explore` shows the same selection. */
export const SHOWS = ["tree", "blocks", "map", "table"] as const;
export type Show = (typeof SHOWS)[number];

/** What the view `compare` sets side by side. */
export const SLICES = ["periods", "values", "clusters"] as const;
export type Slices = (typeof SLICES)[number];

export type Point = readonly [x: number, y: number];

export interface Route {
  view: View;
  /** Selected cluster of the view `explore`. */
  cluster: string;
  /** Clustered facet; null: the primary one. */
  facet: string | null;
  /** Words searched for. */
  query: string;
  /** What siblings of the tree are sorted by. */
  sort: string;
  /** Clusters of the view `trends`; none: the largest. */
  picked: string[];
  /** How long the periods of trends are; null: the release's own. */
  by: Granularity | null;
  /** Conversations instead of shares. */
  absolute: boolean;
  /** What the view `facets` breaks down by; null: the first. */
  dimension: string | null;
  /** Rows of its table: all of a level, or the children of the root. */
  level: number | null;
  show: Show;
  /** Middle and magnification of the map; null: all of it. */
  at: { x: number; y: number; k: number } | null;
  /** Corners of what is marked on the map. */
  area: readonly Point[] | null;
  slices: Slices;
  /** The two sides of a comparison; null: what lies nearest. */
  first: string | null;
  second: string | null;
  /** The day that the view `monitoring` compares the time before and after of. */
  day: string | null;
  /** So many whole periods on each side of it. */
  periods: number;
}

export const PERIODS = 4;
export const SIZE = "size";
export const GROWTH = "growth";

const HOME: Route = {
  view: "overview",
  cluster: ROOT,
  facet: null,
  query: "",
  sort: SIZE,
  picked: [],
  by: null,
  absolute: false,
  dimension: null,
  level: null,
  show: "tree",
  at: null,
  area: null,
  slices: "periods",
  first: null,
  second: null,
  day: null,
  periods: PERIODS,
};

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const given = new URLSearchParams(search);
  const [, first = "", second = ""] = path.split("/");
  const cluster = first === "cluster" && second ? decoded(second) : ROOT;
  const named = VIEWS.find((view) => view === first);
  const level = given.get("level");
  return {
    ...HOME,
    view: first === "cluster" ? "explore" : (named ?? (given.get("q") ? "explore" : "overview")),
    cluster,
    facet: given.get("facet"),
    query: given.get("q") ?? "",
    sort: given.get("sort") ?? SIZE,
    picked: given.getAll("c").slice(0, 8),
    by: GRANULARITIES.find((by) => by === given.get("by")) ?? null,
    absolute: given.get("scale") === "conversations",
    dimension: given.get("dimension"),
    level: level !== null && /^\d+$/.test(level) ? Number(level) : null,
    show: SHOWS.find((show) => show === given.get("show")) ?? "tree",
    at: placeOf(given.get("at")),
    area: areaOf(given.get("area")),
    slices: SLICES.find((slices) => slices === given.get("of")) ?? "periods",
    first: given.get("first"),
    second: given.get("second"),
    day: /^\d{4}-\d{2}-\d{2}$/.exec(given.get("day") ?? "")?.[0] ?? null,
    periods: periodsOf(given.get("periods")),
  };
}

function periodsOf(text: string | null): number {
  const given = Number(text ?? PERIODS);
  return Number.isInteger(given) && given >= 1 && given <= 52 ? given : PERIODS;
}

function numbers(text: string | null): number[] {
  const given = (text ?? "").split(",").map(Number);
  return given.every(Number.isFinite) ? given : [];
}

function placeOf(text: string | null): Route["at"] {
  const [x, y, k] = numbers(text);
  return x !== undefined && y !== undefined && k !== undefined && k > 0 ? { x, y, k } : null;
}

/** "x,y,x,y,x,y": the corners one after the other. */
function areaOf(text: string | null): Point[] | null {
  const given = numbers(text);
  const corners = Array.from({ length: given.length >> 1 }, (_, i): Point => [
    given[2 * i] ?? 0,
    given[2 * i + 1] ?? 0,
  ]);
  return corners.length >= 3 ? corners : null;
}

const short = (value: number) => String(+value.toFixed(4));

export const GRANULARITIES: Granularity[] = ["day", "week", "month", "quarter", "year"];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function formatRoute(route: Route): string {
  const { view } = route;
  const given = new URLSearchParams();
  if (route.facet !== null) given.set("facet", route.facet);
  if (view === "explore") {
    if (route.query !== "") given.set("q", route.query);
    if (route.sort !== SIZE) given.set("sort", route.sort);
    if (route.show !== "tree") given.set("show", route.show);
    if (route.show === "table" && route.level !== null) given.set("level", String(route.level));
    if (route.at) given.set("at", [route.at.x, route.at.y, route.at.k].map(short).join(","));
    if (route.area) given.set("area", route.area.flat().map(short).join(","));
  }
  if (view === "compare") {
    if (route.slices !== "periods") given.set("of", route.slices);
    if (route.dimension !== null) given.set("dimension", route.dimension);
    if (route.first !== null) given.set("first", route.first);
    if (route.second !== null) given.set("second", route.second);
    if (route.level !== null) given.set("level", String(route.level));
  }
  if (view === "trends") {
    for (const id of route.picked) given.append("c", id);
    if (route.by !== null) given.set("by", route.by);
    if (route.absolute) given.set("scale", "conversations");
  }
  if (view === "facets") {
    if (route.dimension !== null) given.set("dimension", route.dimension);
    if (route.level !== null) given.set("level", String(route.level));
  }
  if (view === "monitoring") {
    if (route.day !== null) given.set("day", route.day);
    if (route.periods !== PERIODS) given.set("periods", String(route.periods));
  }
  const search = given.size > 0 ? `?${given}` : "";
  if (view === "overview") return `#/${search}`;
  if (view === "explore" && route.cluster !== ROOT) {
    return `#/cluster/${encodeURIComponent(route.cluster)}${search}`;
  }
  return `#/${view}${search}`;
}

/** Address of a view with the same facet, all else as at its beginning. */
export const viewLink = (view: View, facet: string | null, change: Partial<Route> = {}) =>
  formatRoute({ ...HOME, view, facet, ...change });

export type Navigate = (change: Partial<Route>, how?: "push" | "replace") => void;

export function useRoute(): [Route, Navigate] {
  const [route, setRoute] = useState(() => parseRoute(location.hash));

  // A layout effect: what is pressed as soon as the page is seen must not be lost.
  useLayoutEffect(() => {
    const read = () => setRoute(parseRoute(location.hash));
    addEventListener("popstate", read);
    return () => removeEventListener("popstate", read);
  }, []);

  const navigate = useCallback<Navigate>((change, how = "push") => {
    const next = { ...parseRoute(location.hash), ...change };
    const hash = formatRoute(next);
    if (hash === formatRoute(parseRoute(location.hash))) return;
    if (how === "push") history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
    setRoute(next);
  }, []);

  return [route, navigate];
}

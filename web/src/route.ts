/** The state of the view, kept in the URL so that a link restores it and Back works. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { type Granularity, ROOT } from "./api";

export const VIEWS = ["overview", "explore", "trends", "facets", "method"] as const;
export type View = (typeof VIEWS)[number];

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
}

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
  };
}

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

  useEffect(() => {
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

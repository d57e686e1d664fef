/** The state of the view, kept in the URL so that a link restores it and Back works. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { ROOT } from "./api";

export interface Route {
  /** Selected cluster. */
  cluster: string;
  /** Clustered facet; null: the primary one. */
  facet: string | null;
  /** Words searched for. */
  query: string;
}

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const parameters = new URLSearchParams(search);
  let cluster = ROOT;
  const id = /^\/cluster\/(.+)$/.exec(path)?.[1];
  if (id) {
    try {
      cluster = decodeURIComponent(id);
    } catch {
      cluster = id;
    }
  }
  return { cluster, facet: parameters.get("facet"), query: parameters.get("q") ?? "" };
}

export function formatRoute({ cluster, facet, query }: Route): string {
  const parameters = new URLSearchParams();
  if (facet !== null) parameters.set("facet", facet);
  if (query !== "") parameters.set("q", query);
  const search = parameters.size > 0 ? `?${parameters}` : "";
  return `#/${cluster === ROOT ? "" : `cluster/${encodeURIComponent(cluster)}`}${search}`;
}

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

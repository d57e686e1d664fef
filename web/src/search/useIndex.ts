import { fetchAllClusters } from "../api";
import { type Resource, useResource } from "../resource";
import type { Index } from "./index";

/** Several parts of the page may want the same at once; it is made for all of them. */
const made = new Map<string | null, Promise<Index>>();

function indexOf(facet: string | null): Promise<Index> {
  const known = made.get(facet);
  if (known) return known;
  const making = Promise.all([
    import("./index"),
    fetchAllClusters(facet, new AbortController().signal),
  ]).then(([{ buildIndex }, clusters]) => buildIndex(clusters));
  made.set(facet, making);
  making.catch(() => made.delete(facet));
  return making;
}

/** The index over all clusters of a facet, made when it is first wanted. */
export const useIndex = (facet: string | null, wanted: boolean): Resource<Index> =>
  useResource(wanted ? `index ${facet}` : null, () => indexOf(facet));

/** The hierarchy beside its selected cluster. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { type ReleaseResponse, ROOT, fetchTree } from "../../api";
import { Notice } from "../../components/Notice";
import { name } from "../../format";
import { useResource } from "../../resource";
import type { Navigate, Route } from "../../route";
import { Detail } from "./Detail";
import { SearchBox, SearchResults } from "./Search";
import { Tree } from "./Tree";
import { buildTree } from "./hierarchy";

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Explore({ release, route, navigate }: Props) {
  const [browsing, setBrowsing] = useState(false);
  const tree = useResource(`tree ${route.facet}`, (signal) => fetchTree(route.facet, signal));
  const hierarchy = useMemo(() => tree.data && buildTree(tree.data.nodes), [tree.data]);

  const select = useCallback(
    (cluster: string) => {
      navigate({ cluster });
      setBrowsing(false);
    },
    [navigate],
  );

  const primary = release.info.facets.find((facet) => facet.primary)?.name ?? "";
  return (
    <div class="explore">
      <nav class="sidebar" aria-label="Clusters">
        <SearchBox query={route.query} navigate={navigate} />
        {release.info.facets.length > 1 && (
          <label class="facet-choice">
            Clustered by
            <select
              value={route.facet ?? primary}
              onChange={(event) => {
                const facet = event.currentTarget.value;
                navigate({ facet: facet === primary ? null : facet, cluster: ROOT });
              }}
            >
              {release.info.facets.map((facet) => (
                <option key={facet.name} value={facet.name}>
                  {name(facet.name)}
                </option>
              ))}
            </select>
          </label>
        )}
        {route.query.trim() !== "" ? (
          <SearchResults route={route} facet={route.facet ?? primary} />
        ) : (
          <>
            <button
              type="button"
              class="browse"
              aria-expanded={browsing}
              aria-controls="tree"
              onClick={() => setBrowsing(!browsing)}
            >
              Browse all clusters
            </button>
            <div id="tree" class={browsing ? "tree-place open" : "tree-place"}>
              {tree.error && (
                <Notice kind="error" title="The hierarchy could not be loaded">
                  {tree.error.message}
                </Notice>
              )}
              {hierarchy && <Tree hierarchy={hierarchy} selected={route.cluster} select={select} />}
            </div>
          </>
        )}
      </nav>
      <main class="detail">
        <Detail release={release} hierarchy={hierarchy} route={route} />
      </main>
    </div>
  );
}

/** The hierarchy beside its selected cluster. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { type ReleaseResponse, fetchTree } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice } from "../../components/View";
import { name } from "../../format";
import { useResource } from "../../resource";
import { GROWTH, type Navigate, type Route, SIZE } from "../../route";
import { Detail } from "./Detail";
import { SearchResults } from "./Search";
import { Tree } from "./Tree";
import { buildTree, measuresOf } from "./hierarchy";

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Explore({ release, route, navigate }: Props) {
  const { facet, sort } = route;
  const [browsing, setBrowsing] = useState(false);
  const tree = useResource(`tree ${facet}`, (signal) => fetchTree(facet, signal));
  const nodes = tree.data?.nodes;
  const hierarchy = useMemo(() => (nodes ? buildTree(nodes, sort) : null), [nodes, sort]);
  const measures = useMemo(() => (nodes ? measuresOf(nodes) : []), [nodes]);

  const select = useCallback(
    (cluster: string) => {
      navigate({ cluster });
      setBrowsing(false);
    },
    [navigate],
  );

  const primary = release.info.facets.find((one) => one.primary)?.name ?? "";
  return (
    <div class="explore">
      <nav class="sidebar" aria-label="Clusters">
        <FacetChoice info={release.info} route={route} navigate={navigate} />
        {route.query.trim() !== "" ? (
          <SearchResults route={route} facet={facet ?? primary} />
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
              <label class="choice">
                Sort by
                <select
                  value={sort}
                  onChange={(event) => navigate({ sort: event.currentTarget.value }, "replace")}
                >
                  <option value={SIZE}>Size</option>
                  {release.info.period && <option value={GROWTH}>Growth</option>}
                  {measures.map((measure) => (
                    <option key={measure} value={measure}>
                      {name(measure)}
                    </option>
                  ))}
                </select>
              </label>
              {tree.error && (
                <Notice kind="error" title="The hierarchy could not be loaded">
                  {tree.error.message}
                </Notice>
              )}
              {hierarchy ? (
                <Tree
                  hierarchy={hierarchy}
                  sort={sort}
                  selected={route.cluster}
                  select={select}
                />
              ) : (
                !tree.error && <Loading lines={10} />
              )}
            </div>
          </>
        )}
      </nav>
      <main class="detail" id="content" tabIndex={-1}>
        <Detail release={release} hierarchy={hierarchy} route={route} />
      </main>
    </div>
  );
}

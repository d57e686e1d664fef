/** The clusters as a tree, as blocks, on a map or in a table, beside the one that is selected. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { type ReleaseResponse, type TreeNode, fetchShares, fetchTree } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice } from "../../components/View";
import { lazy } from "../../components/lazy";
import { useResource } from "../../resource";
import { type Navigate, type Route, SHOWS, type Show } from "../../route";
import { Blocks } from "./Blocks";
import { ClusterTable } from "./ClusterTable";
import { Detail } from "./Detail";
import { QuantityChoice } from "./QuantityChoice";
import { SearchResults } from "./Search";
import { Tree } from "./Tree";
import { type Hierarchy, buildTree } from "./hierarchy";
import { type Quantity, quantity, shareOf } from "./quantity";

const MapView = lazy(() => import("../map/MapView").then((module) => module.MapView));

const NAMES: Record<Show, string> = { tree: "Tree", blocks: "Blocks", map: "Map", table: "Table" };

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

/** What each way to show the clusters is given. */
export interface ShownProps extends Props {
  nodes: TreeNode[];
  hierarchy: Hierarchy;
  quantity: Quantity;
  select: (cluster: string) => void;
}

export function Explore({ release, route, navigate }: Props) {
  const { facet, show } = route;
  const [browsing, setBrowsing] = useState(false);
  const tree = useResource(`tree ${facet}`, (signal) => fetchTree(facet, signal));
  const nodes = tree.data?.nodes;
  const { by, problem } = useQuantity(nodes, route);
  const hierarchy = useMemo(() => (nodes && by ? buildTree(nodes, by) : null), [nodes, by]);

  const select = useCallback(
    (cluster: string) => {
      navigate({ cluster });
      setBrowsing(false);
    },
    [navigate],
  );

  const searching = route.query.trim() !== "";
  const wide = show !== "tree" && (!searching || show === "map");
  return (
    <div class={wide ? "explore wide" : "explore"}>
      <nav class="sidebar" aria-label="Clusters">
        <FacetChoice info={release.info} route={route} navigate={navigate} />
        <button
          type="button"
          class="browse"
          aria-expanded={browsing}
          aria-controls="tree"
          onClick={() => setBrowsing(!browsing)}
        >
          Browse all clusters
        </button>
        {searching && <SearchResults route={route} facet={facet} />}
        {(!searching || show === "map") && (
          <div id="tree" class={browsing || wide ? "tree-place open" : "tree-place"}>
            <div class="tree-head">
              <fieldset class="segments">
                <legend class="hidden">Show clusters as</legend>
                {SHOWS.map((one) => (
                  <label key={one}>
                    <input
                      type="radio"
                      name="show"
                      checked={show === one}
                      onChange={() => navigate({ show: one })}
                    />
                    <span>{NAMES[one]}</span>
                  </label>
                ))}
              </fieldset>
              {nodes && (
                <QuantityChoice
                  label={show === "map" || show === "blocks" ? "Colour by" : "Sort by"}
                  nodes={nodes}
                  facet={facet}
                  dated={release.info.period !== null}
                  sort={route.sort}
                  choose={(sort) => navigate({ sort }, "replace")}
                />
              )}
            </div>
            {tree.error && (
              <Notice kind="error" title="The hierarchy could not be loaded">
                {tree.error.message}
              </Notice>
            )}
            {problem && (
              <Notice kind="warning" title="These shares could not be loaded">
                {problem}
              </Notice>
            )}
            {nodes && hierarchy && by ? (
              <Shown {...{ release, route, navigate, nodes, hierarchy, quantity: by, select }} />
            ) : (
              !tree.error && <Loading lines={10} />
            )}
          </div>
        )}
      </nav>
      <main class="detail" id="content" tabIndex={-1}>
        <Detail release={release} hierarchy={hierarchy} route={route} />
      </main>
    </div>
  );
}

function Shown(props: ShownProps) {
  switch (props.route.show) {
    case "tree":
      return (
        <Tree
          hierarchy={props.hierarchy}
          quantity={props.quantity}
          selected={props.route.cluster}
          select={props.select}
        />
      );
    case "blocks":
      return <Blocks {...props} />;
    case "map":
      return <MapView {...props} />;
    case "table":
      return <ClusterTable {...props} />;
  }
}

/** What is sorted and coloured by; until shares are there it is size. */
function useQuantity(nodes: TreeNode[] | undefined, { facet, sort }: Route) {
  const share = shareOf(sort);
  const shares = useResource(share && `shares ${facet} ${sort}`, (signal) =>
    fetchShares(share?.dimension ?? "", share?.value ?? "", facet, signal),
  );
  const by = useMemo(() => {
    if (!nodes) return null;
    return quantity(sort, nodes, share ? shares.data : null);
  }, [nodes, sort, shares.data]);
  return { by, problem: shares.error?.message };
}

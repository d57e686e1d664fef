/** All clusters in two dimensions: panned and zoomed by mouse, touch and keys, marked by a line. */

import { useMemo } from "preact/hooks";
import { fetchMap } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { useResource } from "../../resource";
import { useIndex } from "../../search/useIndex";
import type { ShownProps } from "../explore/Explore";
import { Legend } from "../explore/Legend";
import { MapCanvas } from "./MapCanvas";
import { MarkedArea } from "./MarkedArea";
import { makeAtlas } from "./scene";

export function MapView(props: ShownProps) {
  const { route, hierarchy, quantity } = props;
  const { facet } = route;
  const query = route.query.trim();
  const map = useResource(`map ${facet}`, (signal) => fetchMap(facet, signal));
  const index = useIndex(facet, query !== "");
  const found = useMemo(
    () =>
      query === "" || !index.data
        ? null
        : new Set(index.data.search(query).map(({ cluster }) => cluster.cluster_id)),
    [query, index.data],
  );
  const atlas = useMemo(
    () => (map.data ? makeAtlas(map.data, hierarchy.byId) : null),
    [map.data, hierarchy.byId],
  );
  if (map.error) {
    return (
      <Notice kind="error" title="The map could not be loaded">
        {map.error.message}
      </Notice>
    );
  }
  if (!map.data || !atlas) return <Loading lines={8} />;
  if (atlas.byId.size === 0) {
    return (
      <Notice kind="empty" title="No map">
        The clusters of this release have no places. The tree and the table show the same.
      </Notice>
    );
  }
  return (
    <>
      <MapCanvas {...props} atlas={atlas} found={found} />
      <Legend quantity={quantity} />
      {route.area && <MarkedArea {...props} map={map.data} area={route.area} />}
    </>
  );
}

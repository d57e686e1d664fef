/** The finest clusters of what is marked on the map, as a list. */

import { useMemo } from "preact/hooks";
import type { MapPlaces } from "../../api";
import { count, counted, percent } from "../../format";
import { type Point, formatRoute } from "../../route";
import type { ShownProps } from "../explore/Explore";
import { by } from "../explore/hierarchy";
import { within } from "./places";

const SHOWN = 60;

interface Props extends ShownProps {
  map: MapPlaces;
  area: readonly Point[];
}

export function MarkedArea({ map, area, nodes, quantity, route, navigate }: Props) {
  const chosen = useMemo(() => {
    const inside = within(map, area);
    return nodes.filter((node) => node.level === 0 && inside.has(node.id)).sort(by(quantity.order));
  }, [map, area, nodes, quantity]);
  const total = chosen.reduce((sum, node) => sum + node.conversations, 0);
  return (
    <section class="marked" aria-label="Marked area">
      <p role="status">
        <b>{counted(chosen.length, "cluster")}</b> marked, {counted(total, "conversation")}
      </p>
      <p class="actions">
        <a href={formatRoute({ ...route, show: "table", level: 0 })}>As a table</a>
        <button type="button" onClick={() => navigate({ area: null })}>
          Remove the mark
        </button>
      </p>
      <ul>
        {chosen.slice(0, SHOWN).map((node) => (
          <li key={node.id}>
            <a
              href={formatRoute({ ...route, cluster: node.id })}
              aria-current={node.id === route.cluster ? "true" : undefined}
              dir="auto"
            >
              {node.title}
            </a>
            <span class="quiet">{percent(node.share)}</span>
          </li>
        ))}
      </ul>
      {chosen.length > SHOWN && (
        <p class="quiet">and {count(chosen.length - SHOWN)} more, in the table</p>
      )}
    </section>
  );
}

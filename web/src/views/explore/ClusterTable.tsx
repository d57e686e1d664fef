/** The clusters of a level in a table: all that the map shows, for reading and for copying. */

import { useMemo, useState } from "preact/hooks";
import { type TreeNode, ROOT, fetchMap, fileAddress } from "../../api";
import { Notice } from "../../components/Notice";
import { count, counted, percentInterval, tells } from "../../format";
import { useResource } from "../../resource";
import { SIZE, formatRoute } from "../../route";
import { within } from "../map/places";
import type { ShownProps } from "./Explore";
import { by } from "./hierarchy";

const ROWS = 50;

export function ClusterTable({ route, navigate, release, nodes, hierarchy, quantity }: ShownProps) {
  const { facet, area } = route;
  const [offset, setOffset] = useState(0);
  const places = useResource(area && `map ${facet}`, (signal) => fetchMap(facet, signal));
  const top = Math.max(...nodes.map((node) => node.level), 0);
  const level = Math.min(route.level ?? (area ? 0 : top), top);
  const rows = useMemo(() => {
    const inside = area && places.data ? within(places.data, area) : null;
    return nodes
      .filter((node) => node.level === level && (!inside || inside.has(node.id)))
      .sort(by(quantity.order));
  }, [nodes, level, area, places.data, quantity]);
  const start = Math.min(offset, Math.max(0, Math.floor((rows.length - 1) / ROWS) * ROWS));
  const total = rows.reduce((sum, node) => sum + node.conversations, 0);
  const csv = fileAddress("clusters", { facet, level, limit: 10_000, format: "csv" });
  const sizes = release.info.facets.find((one) => one.name === facet || (!facet && one.primary));
  return (
    <div class="cluster-table">
      <label class="choice">
        Rows
        <select
          value={level}
          onChange={(event) => {
            setOffset(0);
            navigate({ level: Number(event.currentTarget.value) });
          }}
        >
          {Array.from({ length: top + 1 }, (_, i) => top - i).map((one) => (
            <option key={one} value={one}>
              {one === top ? "Broadest" : one === 0 ? "Finest" : `Level ${one}`}:{" "}
              {counted(sizes?.clusters[one] ?? 0, "cluster")}
            </option>
          ))}
        </select>
      </label>
      {area && (
        <p class="quiet">
          In the marked area: {counted(rows.length, "cluster")}, {counted(total, "conversation")}{" "}
          <button type="button" class="link" onClick={() => navigate({ area: null })}>
            Show all
          </button>
        </p>
      )}
      {rows.length === 0 ? (
        <Notice kind="empty" title="No cluster here">
          The marked area holds none of this level.
        </Notice>
      ) : (
        <div class="table-place" tabIndex={0} role="region" aria-label="Clusters as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">cluster</th>
                <th scope="col">conversations</th>
                <th scope="col">share</th>
                {route.sort !== SIZE && <th scope="col">{quantity.name.toLowerCase()}</th>}
              </tr>
            </thead>
            <tbody>
              {rows.slice(start, start + ROWS).map((node) => (
                <Row
                  key={node.id}
                  node={node}
                  parent={node.parent === ROOT ? null : hierarchy.byId.get(node.parent ?? "")}
                  href={formatRoute({ ...route, cluster: node.id })}
                  selected={node.id === route.cluster}
                  value={route.sort === SIZE ? null : quantity.text(node)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="actions">
        {rows.length > ROWS && (
          <>
            <button type="button" disabled={start === 0} onClick={() => setOffset(start - ROWS)}>
              Previous
            </button>
            <span class="quiet">
              {count(start + 1)}–{count(Math.min(start + ROWS, rows.length))} of{" "}
              {count(rows.length)}
            </span>
            <button
              type="button"
              disabled={start + ROWS >= rows.length}
              onClick={() => setOffset(start + ROWS)}
            >
              Next
            </button>
          </>
        )}
        {csv && (
          <a href={csv} download>
            Save as CSV
          </a>
        )}
      </p>
    </div>
  );
}

interface RowProps {
  node: TreeNode;
  parent: TreeNode | null | undefined;
  href: string;
  selected: boolean;
  value: string | null;
}

function Row({ node, parent, href, selected, value }: RowProps) {
  const [share, interval] = percentInterval(node.share, node.low, node.high);
  return (
    <tr class={selected ? "selected" : undefined}>
      <th scope="row" class="wide">
        <a href={href} aria-current={selected ? "true" : undefined} dir="auto">
          {node.title}
        </a>
        {parent && (
          <span class="quiet" dir="auto">
            {parent.title}
          </span>
        )}
      </th>
      <td>{count(node.conversations)}</td>
      <td>
        {share}
        {tells(node.low, node.high) && <span class="quiet">{interval}</span>}
      </td>
      {value !== null && <td>{value}</td>}
    </tr>
  );
}

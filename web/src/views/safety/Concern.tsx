import { useMemo, useState } from "preact/hooks";
import { Loading, Notice } from "../../components/Notice";
import { count, counted, mean, name } from "../../format";
import { type SafetyCluster, fetchConcern } from "../../live";
import { useResource } from "../../resource";
import type { Navigate, Route } from "../../route";

const AT_ONCE = 40;
const HIGHEST = 5;

type Order = "tree" | "concern" | "size";

interface Row {
  cluster: SafetyCluster;
  depth: number;
}

/** The whole tree with the mean concern of each cluster. */
export function Concern({ route, navigate }: { route: Route; navigate: Navigate }) {
  const [order, setOrder] = useState<Order>("tree");
  const [shown, setShown] = useState(AT_ONCE);
  const { facet } = route;
  const found = useResource(`safety clusters ${facet}`, (signal) => fetchConcern(facet, signal));
  const rows = useMemo(() => arranged(found.data?.clusters ?? [], order), [found.data, order]);
  if (found.error) {
    return (
      <Notice kind="error" title="The tree could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={8} />;
  if (rows.length === 0) {
    return (
      <Notice kind="empty" title="No tree">
        The run has no restricted table of clusters: it was purged, or is of an older version.
      </Notice>
    );
  }
  const { facets } = found.data;
  const answered = rows.some(({ cluster }) => cluster.concern !== null);
  return (
    <>
      <div class="controls">
        {facets.length > 1 && (
          <label class="choice">
            Clustered by
            <select
              value={found.data.facet ?? ""}
              onChange={(event) => navigate({ facet: event.currentTarget.value })}
            >
              {facets.map((one) => (
                <option key={one} value={one}>
                  {name(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="choice">
          Order
          <select
            value={order}
            onChange={(event) => setOrder(event.currentTarget.value as Order)}
          >
            <option value="tree">Tree, highest concern first</option>
            <option value="concern">Highest concern first</option>
            <option value="size">Largest first</option>
          </select>
        </label>
      </div>
      {!answered && (
        <Notice kind="empty" title="Concern was not asked">
          The run’s facets have no concern.
        </Notice>
      )}
      <div class="table-place" role="region" aria-label="Concern by cluster" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="wide">
                Cluster
              </th>
              <th scope="col">Concern</th>
              <th scope="col">Conversations</th>
              <th scope="col">Accounts</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map(({ cluster, depth }) => (
              <tr key={cluster.cluster_id}>
                <th scope="row" class="wide" style={{ paddingInlineStart: `${1.4 * depth}rem` }}>
                  <span dir="auto">{cluster.title}</span>{" "}
                  <span class="quiet">{cluster.cluster_id}</span>
                </th>
                <td>
                  <Level concern={cluster.concern} />
                </td>
                <td>{count(cluster.conversations)}</td>
                <td>{count(cluster.accounts)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > shown && (
        <p class="actions">
          <button type="button" onClick={() => setShown(shown + 5 * AT_ONCE)}>
            Show more
          </button>
          <span class="quiet">{counted(rows.length - shown, "more cluster")}</span>
        </p>
      )}
    </>
  );
}

/** A mean from 1 to 5, as a number and as a bar. */
export function Level({ concern }: { concern: number | null }) {
  if (concern === null) return <span class="quiet">not known</span>;
  const at = (100 * (concern - 1)) / (HIGHEST - 1);
  return (
    <span class="level">
      <b>{mean(concern)}</b>
      <span class="level-track" aria-hidden="true">
        <i data-high={concern >= 3 ? "" : undefined} style={{ width: `${Math.max(2, at)}%` }} />
      </span>
    </span>
  );
}

const byConcern = (a: SafetyCluster, b: SafetyCluster) =>
  (b.concern ?? 0) - (a.concern ?? 0) || b.conversations - a.conversations;

function arranged(clusters: SafetyCluster[], order: Order): Row[] {
  if (order !== "tree") {
    const by =
      order === "size"
        ? (a: SafetyCluster, b: SafetyCluster) => b.conversations - a.conversations
        : byConcern;
    return [...clusters].sort(by).map((cluster) => ({ cluster, depth: 0 }));
  }
  const known = new Set(clusters.map((cluster) => cluster.cluster_id));
  const below = new Map<string | null, SafetyCluster[]>();
  for (const cluster of [...clusters].sort(byConcern)) {
    const parent =
      cluster.parent_id !== null && known.has(cluster.parent_id) ? cluster.parent_id : null;
    below.set(parent, [...(below.get(parent) ?? []), cluster]);
  }
  const rows: Row[] = [];
  const walk = (parent: string | null, depth: number) => {
    for (const cluster of below.get(parent) ?? []) {
      rows.push({ cluster, depth });
      walk(cluster.cluster_id, depth + 1);
    }
  };
  walk(null, 0);
  return rows;
}

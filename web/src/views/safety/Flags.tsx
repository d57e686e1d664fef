import { useState } from "preact/hooks";
import { Chart } from "../../charts/Chart";
import { useFewAtFirst } from "../../components/few";
import { Loading, Notice } from "../../components/Notice";
import { count, mean, percent, percentInterval, percentTick } from "../../format";
import { type Flag, fetchFlags } from "../../live";
import { useResource } from "../../resource";

const MISS = "likely miss";
const FALSE_ALARM = "likely false alarm";
const ROOT_LEVEL = -1;
const AT_FIRST = 20;

/** A classifier's flags against concern, cluster by cluster, with quadrants. */
export function Flags() {
  const found = useResource("safety flags", fetchFlags);
  const [label, setLabel] = useState<string | null>(null);
  if (found.error) {
    return (
      <Notice kind="error" title="The flags could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={6} />;
  const { looked, rows } = found.data;
  if (!looked || rows.length === 0) {
    return (
      <Notice kind="empty" title="Nobody has compared">
        clio flags RUN --label NAME sets an existing classifier’s flags beside what Clio sees.
      </Notice>
    );
  }
  const labels = [...new Set(rows.map((row) => row.label))];
  const chosen = label ?? labels[0] ?? "";
  const own = rows.filter((row) => row.label === chosen);
  const all = own.find((row) => row.level === ROOT_LEVEL) ?? null;
  const leaves = own.filter((row) => row.level === 0);
  return (
    <>
      {labels.length > 1 && (
        <label class="choice">
          Flag
          <select value={chosen} onChange={(event) => setLabel(event.currentTarget.value)}>
            {labels.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      )}
      <Quadrants rows={leaves} all={all} label={chosen} />
      <Apart rows={own.filter((row) => row.level !== ROOT_LEVEL)} />
    </>
  );
}

function Quadrants({ rows, all, label }: { rows: Flag[]; all: Flag | null; label: string }) {
  const points = rows.flatMap((row) =>
    row.concern === null || row.share === null
      ? []
      : [{ ...row, concern: row.concern, share: row.share, text: tip(row) }],
  );
  if (points.length === 0) {
    return (
      <Notice kind="empty" title="Concern was not asked">
        Without it there is nothing to hold the flags against; likely misses and false alarms of
        other methods stand below.
      </Notice>
    );
  }
  const middle = all?.concern ?? 3;
  const base = all?.share ?? 0;
  const colour = (row: { kind: string | null }) =>
    row.kind === MISS ? "var(--fall)" : row.kind === FALSE_ALARM ? "var(--series-3)" : "var(--muted)";
  return (
    <>
      <Chart
        label={`Share flagged as ${label} by mean concern, ${points.length} clusters; lines: all conversations`}
        height={380}
        version={JSON.stringify([points, middle, base])}
        draw={(plot, size) =>
          plot.plot({
            ...size,
            marginLeft: 60,
            marginBottom: 44,
            marginTop: 24,
            x: { label: "Mean concern (Clio) →", domain: [1, 5], ticks: 5 },
            y: { label: "↑ Flagged (classifier)", zero: true, nice: true, grid: true, ticks: 5, tickFormat: percentTick },
            marks: [
              plot.ruleX([middle], { stroke: "var(--muted)", strokeDasharray: "3 3" }),
              plot.ruleY([base], { stroke: "var(--muted)", strokeDasharray: "3 3" }),
              plot.dot(points, {
                x: "concern",
                y: "share",
                r: (row: Flag) => 3 + Math.sqrt(row.conversations) / 6,
                stroke: colour,
                fill: colour,
                fillOpacity: 0.35,
                strokeWidth: 1.5,
              }),
              plot.text(["Clio concerned, hardly flagged"], {
                frameAnchor: "bottom-right",
                text: (words: string) => words,
                dy: -6,
                dx: -6,
                fill: "var(--muted)",
              }),
              plot.text(["Flagged, Clio not concerned"], {
                frameAnchor: "top-left",
                text: (words: string) => words,
                dy: 6,
                dx: 6,
                fill: "var(--muted)",
              }),
              plot.tip(
                points,
                plot.pointer({
                  x: "concern",
                  y: "share",
                  title: "text",
                  fill: "var(--surface)",
                  lineHeight: 1.3,
                }),
              ),
            ],
          })
        }
      />
      <p class="quiet legend">
        <span class="dot-key miss" aria-hidden="true" /> likely miss
        <span class="dot-key alarm" aria-hidden="true" /> likely false alarm
        <span class="dot-key" aria-hidden="true" /> neither is sure
      </p>
    </>
  );
}

function tip(row: Flag): string {
  const title = row.title ?? row.cluster_id;
  return (
    `${title.length > 44 ? `${title.slice(0, 43)}…` : title}\n` +
    `concern ${mean(row.concern ?? 0)}, flagged ${percent(row.share ?? 0)}\n` +
    `${count(row.conversations)} conversations, ${count(row.accounts)} accounts`
  );
}

/** Where classifier and concern part, as a table. */
function Apart({ rows }: { rows: Flag[] }) {
  const sure = rows
    .filter((row) => row.kind !== null)
    .sort((a, b) => (a.q ?? 1) - (b.q ?? 1) || b.conversations - a.conversations);
  const [shown, more] = useFewAtFirst(sure, AT_FIRST);
  if (sure.length === 0) {
    return (
      <Notice kind="empty" title="They agree as far as one can say">
        No cluster’s flagged share is surely other than its concern lets expect.
      </Notice>
    );
  }
  return (
    <>
      <div class="table-place" role="region" aria-label="Where they part" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="wide">
                Cluster
              </th>
              <th scope="col">What</th>
              <th scope="col">Flagged</th>
              <th scope="col">Expected</th>
              <th scope="col">Concern</th>
              <th scope="col">q</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={`${row.facet} ${row.cluster_id}`}>
                <th scope="row" class="wide">
                  <span dir="auto">{row.title ?? "withheld title"}</span>{" "}
                  <span class="quiet">{row.cluster_id}</span>
                </th>
                <td>
                  <span class={row.kind === MISS ? "tag tag-warning" : "tag"}>{row.kind}</span>
                </td>
                <td>{flagged(row)}</td>
                <td>{row.expected === null ? "not known" : percent(row.expected)}</td>
                <td>{row.concern === null ? "not known" : mean(row.concern)}</td>
                <td>{row.q === null ? "not known" : row.q.toPrecision(2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more}
    </>
  );
}

function flagged({ share, share_low, share_high }: Flag): string {
  if (share === null) return "not known";
  if (share_low === null || share_high === null) return percent(share);
  return percentInterval(share, share_low, share_high).join(" ");
}

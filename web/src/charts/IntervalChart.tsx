import type { TreeNode } from "../api";
import { percentInterval, percentTick } from "../format";
import { Chart } from "./Chart";

interface Props {
  node: TreeNode;
  /** The clusters beside it, for scale. */
  siblings: TreeNode[];
}

/** A share as a dot with its 95 % interval, among the shares of its siblings. */
export function IntervalChart({ node, siblings }: Props) {
  const [share, interval] = percentInterval(node.share, node.low, node.high);
  return (
    <Chart
      label={
        `Share ${share}, 95 % interval ${interval}` +
        (siblings.length > 0 ? `, among ${siblings.length} siblings` : "")
      }
      height={64}
      version={JSON.stringify([node, siblings.map((s) => s.share)])}
      draw={(plot, size) =>
        plot.plot({
          ...size,
          marginLeft: 12,
          marginRight: 24,
          marginTop: 8,
          marginBottom: 26,
          x: {
            label: null,
            zero: true,
            nice: true,
            ticks: Math.max(3, Math.floor(size.width / 110)),
            tickFormat: percentTick,
          },
          y: { axis: null, domain: ["share"] },
          marks: [
            plot.ruleX(siblings, {
              x: "share",
              stroke: "var(--muted)",
              strokeOpacity: 0.45,
              insetTop: 5,
              insetBottom: 5,
            }),
            plot.ruleY([node], {
              y: () => "share",
              x1: "low",
              x2: "high",
              stroke: "var(--accent)",
              strokeWidth: 3,
            }),
            plot.tickX([node.low, node.high], {
              y: () => "share",
              x: (end: number) => end,
              stroke: "var(--accent)",
              strokeWidth: 2,
              insetTop: 8,
              insetBottom: 8,
            }),
            plot.dot([node], {
              y: () => "share",
              x: "share",
              r: 4.5,
              fill: "var(--accent)",
              stroke: "var(--surface)",
              strokeWidth: 2,
            }),
          ],
        })
      }
    />
  );
}

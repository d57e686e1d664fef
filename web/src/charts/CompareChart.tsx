import type { ComponentChildren } from "preact";
import type { CompareRow } from "../api";
import { percentInterval, percentTick, points } from "../format";
import { Chart } from "./Chart";

const ROW = 34;
const [FIRST, SECOND] = ["var(--muted)", "var(--accent)"];

interface Props {
  rows: CompareRow[];
  /** What the two sides are called. */
  sides: [string, string];
  nameOf: (row: CompareRow) => string;
  source: string;
  actions: ComponentChildren;
}

/** Shares on both sides, each with its interval, a row a cluster; pale where it may be chance. */
export function CompareChart({ rows, sides, nameOf, source, actions }: Props) {
  const named = rows.map((row, i) => ({ ...row, key: String(i), name: nameOf(row) }));
  type Row = (typeof named)[number];
  const names = new Map(named.map(({ key, name }) => [key, name]));
  return (
    <Chart
      label={
        `${sides[0]} and ${sides[1]}, the surest differences first: ` +
        named
          .slice(0, 5)
          .map((row) => `${row.name} ${points(row.difference)}${row.sure ? "" : ", not sure"}`)
          .join("; ")
      }
      height={rows.length * ROW + 40}
      version={JSON.stringify([rows, sides])}
      caption={{
        title: `${sides[0]} and ${sides[1]}: share of conversations, 95 % intervals`,
        source,
        legend: [
          { label: sides[0], colour: FIRST },
          { label: sides[1], colour: SECOND },
        ],
      }}
      actions={actions}
      draw={(plot, size) => {
        const margin = Math.min(300, Math.max(110, size.width * 0.38));
        const room = Math.floor(margin / 6.4);
        const strength = (row: Row) => (row.sure ? 1 : 0.4);
        const side = (low: "first_low" | "second_low", high: "first_high" | "second_high", value: "first" | "second", colour: string, dy: number) => [
          plot.ruleY(named, { y: "key", x1: low, x2: high, stroke: colour, strokeWidth: 2, strokeOpacity: strength, dy }),
          plot.dot(named, { y: "key", x: value, r: 4, fill: colour, fillOpacity: strength, stroke: "var(--surface)", dy }),
        ];
        return plot.plot({
          ...size,
          marginLeft: margin,
          marginRight: 24,
          marginTop: 8,
          marginBottom: 28,
          x: {
            label: null,
            zero: true,
            nice: true,
            grid: true,
            ticks: Math.max(3, Math.floor((size.width - margin) / 110)),
            tickFormat: percentTick,
          },
          y: {
            type: "band",
            label: null,
            tickSize: 0,
            domain: named.map(({ key }) => key),
            tickFormat: (key: string) => {
              const name = names.get(key) ?? "";
              return name.length > room ? `${name.slice(0, room - 1)}…` : name;
            },
          },
          marks: [
            ...side("first_low", "first_high", "first", FIRST, -5),
            ...side("second_low", "second_high", "second", SECOND, 5),
            plot.tip(
              named,
              plot.pointer({
                y: "key",
                x: "second",
                title: (row: Row) =>
                  `${row.name}\n${sides[0]}: ${percentInterval(row.first, row.first_low, row.first_high).join(", ")}` +
                  `\n${sides[1]}: ${percentInterval(row.second, row.second_low, row.second_high).join(", ")}`,
                fill: "var(--surface)",
                lineHeight: 1.3,
              }),
            ),
          ],
        });
      }}
    />
  );
}

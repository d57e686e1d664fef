import type { ComponentChildren } from "preact";
import type { Trends } from "../api";
import { count, counted, day, percentInterval, percentTick, period, tells } from "../format";
import { Chart } from "./Chart";
import { ticks } from "./TrendChart";

interface Props {
  trends: Trends;
  absolute: boolean;
  source: string;
  actions: ComponentChildren;
}

export const seriesColour = (i: number) => `var(--series-${(i % 8) + 1})`;

/** Several clusters over time: a line with its interval each, told apart by colour and number. */
export function SeriesChart({ trends, absolute, source, actions }: Props) {
  const { granularity, periods, series } = trends;
  const dates = periods.map((iso) => ({ date: day(iso) }));
  const lines = series.map(({ title, points }, i) => {
    const released = new Map(points.map((point) => [point.period, point]));
    // A period without a point leaves a gap instead of being bridged.
    return periods.map((iso) => {
      const point = released.get(iso);
      const band = point && !absolute && tells(point.share_low, point.share_high);
      const [share, interval] = point
        ? percentInterval(point.share, point.share_low, point.share_high)
        : [];
      return {
        number: String(i + 1),
        date: day(iso),
        value: point ? (absolute ? point.conversations : point.share) : NaN,
        low: band ? point.share_low : NaN,
        high: band ? point.share_high : NaN,
        whole: point?.withheld === 0,
        text: point
          ? `${i + 1}  ${title.length > 44 ? `${title.slice(0, 43)}…` : title}\n` +
            `${period(iso, granularity)}\n${counted(point.conversations, "conversation")}` +
            `, at least ${counted(point.accounts, "account")}\n${share}` +
            (band ? `, 95 % interval ${interval}` : "") +
            (point.withheld > 0 ? `\n${point.withheld} of ${point.parts} parts withheld` : "")
          : "",
      };
    });
  });
  const shown = lines.flat().filter((row) => !Number.isNaN(row.value));
  const ends = labelled(
    lines.flatMap((line) => line.findLast((row) => !Number.isNaN(row.value)) ?? []),
    Math.max(...shown.map((row) => row.value)),
  );
  const colour = (row: { number: string }) => seriesColour(Number(row.number) - 1);
  return (
    <Chart
      label={
        `${absolute ? "Conversations" : "Share of conversations"} by ${granularity}: ` +
        series.map(({ title }, i) => `${i + 1} ${title}`).join(", ")
      }
      height={380}
      version={JSON.stringify([lines, absolute])}
      caption={{
        title: `${absolute ? "Conversations" : "Share of conversations"} by ${granularity}`,
        source,
        legend: series.map(({ title }, i) => ({
          label: `${i + 1}  ${title}`,
          colour: seriesColour(i),
        })),
      }}
      actions={actions}
      draw={(plot, size) =>
        plot.plot({
          ...size,
          marginLeft: 56,
          marginRight: 44,
          marginTop: 16,
          marginBottom: 30,
          x: { type: "utc", label: null, ticks: ticks(dates, size.width / 90) },
          y: {
            label: null,
            zero: true,
            nice: true,
            grid: true,
            ticks: 5,
            tickFormat: absolute ? count : percentTick,
          },
          marks: [
            ...lines.map((line, i) =>
              plot.areaY(line, {
                x: "date",
                y1: "low",
                y2: "high",
                fill: seriesColour(i),
                fillOpacity: 0.12,
              }),
            ),
            ...lines.map((line, i) =>
              plot.lineY(line, { x: "date", y: "value", stroke: seriesColour(i), strokeWidth: 2 }),
            ),
            plot.dot(shown, {
              x: "date",
              y: "value",
              r: 2.5,
              stroke: colour,
              // Hollow: a part of it is withheld.
              fill: (row: { whole: boolean; number: string }) =>
                row.whole ? colour(row) : "var(--surface)",
            }),
            ...ends.map(({ row, dx }) =>
              plot.text([row], {
                x: "date",
                y: "value",
                text: "number",
                dx,
                fontWeight: 700,
                fill: colour,
              }),
            ),
            plot.tip(
              shown,
              plot.pointer({
                x: "date",
                y: "value",
                title: "text",
                fill: "var(--surface)",
                lineHeight: 1.3,
              }),
            ),
          ],
        })
      }
    />
  );
}

/** The last point of each line, with room for its number: what would lie on another moves aside. */
function labelled<T extends { date: Date; value: number }>(rows: T[], top: number) {
  const placed: { row: T; dx: number }[] = [];
  for (const row of rows) {
    const near = placed.filter(
      (other) =>
        +other.row.date === +row.date && Math.abs(other.row.value - row.value) < 0.035 * top,
    );
    placed.push({ row, dx: 12 + 12 * near.length });
  }
  return placed;
}

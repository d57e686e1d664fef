import type { ComponentChildren } from "preact";
import type { Trend, TrendPoint } from "../api";
import { count, day, percent, percentInterval, percentTick, period, tells } from "../format";
import { Chart } from "./Chart";

interface Props {
  title: string;
  trend: Trend;
  /** The root's share is always 1, so its conversations are drawn instead. */
  isRoot: boolean;
  /** What the release is, for a saved picture. */
  source: string;
  actions?: ComponentChildren;
  /** A day that is marked, and what it is. */
  mark?: { day: string; label: string };
}

/** So many of the periods, evenly, that their labels have room. */
export function ticks(rows: { date: Date }[], room: number): Date[] {
  const step = Math.max(1, Math.ceil(rows.length / room));
  return rows.filter((_, i) => i % step === 0).map((row) => row.date);
}

export function TrendChart({ title, trend, isRoot, source, actions, mark }: Props) {
  const released = new Map(trend.points.map((point) => [point.period, point]));
  const band = (point: TrendPoint) => !isRoot && tells(point.share_low, point.share_high);
  // A period without a point leaves a gap instead of being bridged.
  const rows = trend.periods.map((iso) => {
    const point = released.get(iso);
    return {
      date: day(iso),
      value: point ? (isRoot ? point.conversations : point.share) : NaN,
      low: point && band(point) ? point.share_low : NaN,
      high: point && band(point) ? point.share_high : NaN,
      text: point
        ? `${period(iso, trend.granularity)}\n` +
          (isRoot
            ? `${count(point.conversations)} conversations`
            : percentInterval(point.share, point.share_low, point.share_high)
                .slice(0, band(point) ? 2 : 1)
                .join("\n95 % interval "))
        : "",
    };
  });
  const shown = rows.filter((row) => !Number.isNaN(row.value));
  const first = shown[0];
  const last = shown.at(-1);
  const say = (value: number) => (isRoot ? count(value) : percent(value));
  const label =
    `${title}: ${isRoot ? "conversations" : "share of conversations"} over time` +
    (first && last ? `, from ${say(first.value)} to ${say(last.value)}` : "") +
    (mark ? `; ${mark.label}` : "");
  // The words stand where there is room for them.
  const early = trend.periods.findIndex((iso) => iso >= (mark?.day ?? "")) < rows.length / 3;
  const marks = mark ? [{ date: day(mark.day), label: mark.label }] : [];

  return (
    <Chart
      label={label}
      height={220}
      caption={{ title: isRoot ? "Conversations over time" : title, source, legend: [] }}
      actions={actions}
      version={JSON.stringify([title, rows, marks])}
      draw={(plot, size) =>
        plot.plot({
          ...size,
          marginLeft: 52,
          marginRight: 16,
          marginTop: 16,
          marginBottom: 28,
          x: { type: "utc", label: null, ticks: ticks(rows, size.width / 90) },
          y: {
            label: null,
            zero: true,
            nice: true,
            grid: true,
            ticks: 4,
            tickFormat: isRoot ? count : percentTick,
          },
          marks: [
            plot.areaY(rows, {
              x: "date",
              y1: "low",
              y2: "high",
              fill: "var(--accent)",
              fillOpacity: 0.16,
            }),
            plot.lineY(rows, { x: "date", y: "value", stroke: "var(--accent)", strokeWidth: 2 }),
            plot.dot(shown, { x: "date", y: "value", r: 2.5, fill: "var(--accent)" }),
            plot.ruleX(marks, {
              x: "date",
              stroke: "var(--fall)",
              strokeWidth: 1.5,
              strokeDasharray: "4 3",
            }),
            plot.text(marks, {
              x: "date",
              text: "label",
              frameAnchor: "top",
              textAnchor: early ? "start" : "end",
              dx: early ? 6 : -6,
              fill: "var(--fall)",
            }),
            plot.tip(
              shown,
              plot.pointerX({
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

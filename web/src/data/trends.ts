/**
 * The trends of a copy, which holds them cluster by cluster as released: put together, and summed
 * to coarser periods as `clio.server.trends` does.
 */

import type { Granularity, SeriesPoint, Trend, Trends } from "../api";

/** The trend of one cluster, from the series of that cluster. */
export const trendOf = ({ granularity, periods, series }: Trends): Trend => ({
  granularity: granularity as Trend["granularity"],
  periods,
  points: (series[0]?.points ?? []).map(({ parts: _, withheld: __, ...point }) => point),
});

/** One answer of several; null: by the periods of the release. */
export function together(answers: Trends[], granularity: Granularity | null): Trends {
  const [first] = answers;
  if (!first) throw new RangeError("no cluster is named");
  const whole = { ...first, series: answers.flatMap((answer) => answer.series) };
  return granularity === null || granularity === first.granularity
    ? whole
    : coarser(whole, granularity);
}

function coarser(trends: Trends, granularity: Granularity): Trends {
  const groups = new Map<string, string[]>();
  for (const period of trends.periods) {
    const first = start(period, granularity);
    groups.set(first, [...(groups.get(first) ?? []), period]);
  }
  const totals = new Map(trends.periods.map((period, i) => [period, trends.totals[i] ?? 0]));
  const sum = (numbers: number[]) => numbers.reduce((all, n) => all + n, 0);
  return {
    ...trends,
    granularity,
    periods: [...groups.keys()],
    totals: [...groups.values()].map((parts) => sum(parts.map((part) => totals.get(part) ?? 0))),
    series: trends.series.map((one) => {
      const points = new Map(one.points.map((point) => [point.period, point]));
      return {
        ...one,
        points: [...groups].flatMap(([period, parts]) => {
          const released = parts.flatMap((part) => points.get(part) ?? []);
          return released.length === 0 ? [] : [pooled(period, released, parts.length, totals)];
        }),
      };
    }),
  };
}

/** Several periods as one: distances to the ends of intervals are added in quadrature. */
function pooled(
  period: string,
  points: SeriesPoint[],
  parts: number,
  totals: ReadonlyMap<string, number>,
): SeriesPoint {
  const weights = points.map((point) => totals.get(point.period) || point.conversations);
  const whole = weights.reduce((all, n) => all + n, 0) || 1;
  let [share, below, above, conversations] = [0, 0, 0, 0];
  points.forEach((point, i) => {
    const weight = (weights[i] ?? 0) / whole;
    share += weight * point.share;
    below += (weight * (point.share - point.share_low)) ** 2;
    above += (weight * (point.share_high - point.share)) ** 2;
    conversations += point.conversations;
  });
  return {
    period,
    conversations,
    accounts: Math.max(...points.map((point) => point.accounts)),
    share,
    share_low: Math.max(0, share - Math.sqrt(below)),
    share_high: Math.min(1, share + Math.sqrt(above)),
    parts,
    withheld: parts - points.length,
  };
}

/** First day of the week, month, quarter or year that holds a day. */
function start(iso: string, granularity: Granularity): string {
  const date = new Date(`${iso}T00:00:00Z`);
  if (granularity === "week") date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  if (granularity === "month") date.setUTCDate(1);
  if (granularity === "quarter") date.setUTCMonth(date.getUTCMonth() - (date.getUTCMonth() % 3), 1);
  if (granularity === "year") date.setUTCMonth(0, 1);
  return date.toISOString().slice(0, 10);
}

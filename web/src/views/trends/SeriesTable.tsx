import type { Trends } from "../../api";
import { count, percentInterval, period, tells } from "../../format";

/** The chart's numbers, for reading without seeing it and for copying. */
export function SeriesTable({ trends }: { trends: Trends }) {
  const { granularity, periods, series } = trends;
  const points = series.map((one) => new Map(one.points.map((point) => [point.period, point])));
  return (
    <details>
      <summary>Show as table</summary>
      <div class="table-place" tabIndex={0} role="region" aria-label="Trends as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">{granularity}</th>
              {series.map(({ cluster_id, title }, i) => (
                <th key={cluster_id} scope="col" class="wide" dir="auto">
                  {i + 1} {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {periods.map((iso) => (
              <tr key={iso}>
                <th scope="row">{period(iso, granularity)}</th>
                {points.map((known, i) => {
                  const point = known.get(iso);
                  if (!point) {
                    return (
                      <td key={i} class="quiet">
                        too few to show
                      </td>
                    );
                  }
                  const [share, interval] = percentInterval(
                    point.share,
                    point.share_low,
                    point.share_high,
                  );
                  return (
                    <td key={i}>
                      {share}{" "}
                      <span class="quiet">
                        {tells(point.share_low, point.share_high) && `(${interval}), `}
                        {count(point.conversations)}
                        {point.withheld > 0 && `, ${point.withheld} of ${point.parts} withheld`}
                      </span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

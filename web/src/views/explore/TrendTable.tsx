import type { Trend } from "../../api";
import { count, percentInterval, period, tells } from "../../format";

/** The trend's numbers, for reading and for copying. */
export function TrendTable({ trend }: { trend: Trend }) {
  const released = new Map(trend.points.map((point) => [point.period, point]));
  return (
    <details>
      <summary>Show as table</summary>
      <div class="table-place" tabIndex={0} role="region" aria-label="Trend as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">{trend.granularity}</th>
              <th scope="col">conversations</th>
              <th scope="col">accounts, at least</th>
              <th scope="col">share</th>
              <th scope="col">95 % interval</th>
            </tr>
          </thead>
          <tbody>
            {trend.periods.map((iso) => {
              const point = released.get(iso);
              const [share, interval] = point
                ? percentInterval(point.share, point.share_low, point.share_high)
                : [];
              return (
                <tr key={iso}>
                  <th scope="row">{period(iso, trend.granularity)}</th>
                  {point ? (
                    <>
                      <td>{count(point.conversations)}</td>
                      <td>{count(point.accounts)}</td>
                      <td>{share}</td>
                      <td>{tells(point.share_low, point.share_high) ? interval : "–"}</td>
                    </>
                  ) : (
                    <td colSpan={4} class="quiet">
                      too few to show
                    </td>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}

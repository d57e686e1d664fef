import { useFewAtFirst } from "../../components/few";
import { Loading, Notice } from "../../components/Notice";
import { count, dayWords, times, timesInterval } from "../../format";
import { fetchRestrictedAlerts } from "../../live";
import { useResource } from "../../resource";

const AT_FIRST = 20;

/** All changes that the last look found, and whether they may be shown to others. */
export function Found() {
  const found = useResource("safety alerts", fetchRestrictedAlerts);
  const [shown, more] = useFewAtFirst(found.data?.rows ?? [], AT_FIRST);
  if (found.error) {
    return (
      <Notice kind="error" title="The changes could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={4} />;
  const { looked, rows } = found.data;
  if (!looked || rows.length === 0) {
    return (
      <Notice kind="empty" title={looked ? "No change" : "Nobody could look"}>
        {looked
          ? "Nothing changed lately by more than chance explains."
          : "Alerts need conversations with dates, ten days of them at least."}
      </Notice>
    );
  }
  return (
    <>
      <div class="table-place" role="region" aria-label="Changes lately" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="wide">
                Cluster
              </th>
              <th scope="col">What</th>
              <th scope="col">Since</th>
              <th scope="col">Ratio</th>
              <th scope="col">Accounts</th>
              <th scope="col">q</th>
              <th scope="col">Released</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row, i) => (
              <tr key={i}>
                <th scope="row" class="wide">
                  <span dir="auto">{row.title}</span> <span class="quiet">{row.cluster_id}</span>
                </th>
                <td>
                  {row.kind}
                  {row.value !== null && `: ${row.value}`}
                </td>
                <td>{dayWords(row.since)}</td>
                <td>
                  {row.ratio === null ? "not known" : times(row.ratio)}{" "}
                  {row.ratio_low !== null && (
                    <span class="quiet">{timesInterval(row.ratio_low, row.ratio_high)}</span>
                  )}
                </td>
                <td>
                  {count(row.accounts)}
                  {row.few_accounts && <span class="quiet"> few carry it</span>}
                </td>
                <td>{row.q === null ? "not known" : row.q.toPrecision(2)}</td>
                <td>{row.shown ? "yes" : "no"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more}
    </>
  );
}

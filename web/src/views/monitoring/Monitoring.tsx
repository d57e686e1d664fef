/** What changed lately, and before and after a day. */

import {
  type Alert,
  type ReleaseResponse,
  type Trend,
  fetchAlerts,
  fetchCluster,
  fileAddress,
} from "../../api";
import { TrendChart } from "../../charts/TrendChart";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice, Section, View } from "../../components/View";
import { counted, dayWords, times, timesInterval } from "../../format";
import { useResource } from "../../resource";
import { type Navigate, type Route, viewLink } from "../../route";
import { sourceLine } from "../../source";
import { Event } from "./Event";

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

/** A line needs so many. */
const POINTS = 3;

export function Monitoring({ release, route, navigate }: Props) {
  const { facet } = route;
  return (
    <View
      title="Monitoring"
      lead="What is new, what rises and falls, and what changed at a date. A change is said once, at the cluster that fits it."
    >
      <FacetChoice info={release.info} route={route} navigate={navigate} />
      <Section
        title="Alerts"
        lead="Changes of the last weeks that the run found in its daily counts, with the false discovery rate held over the whole tree. Both sides of each comparison passed the privacy thresholds."
      >
        <Alerts release={release} facet={facet} />
      </Section>
      <Section
        title="Before and after a day"
        lead="Shares of conversations in whole periods before the day and from it on. That something changed on a day does not say that the day’s event changed it."
      >
        <Event release={release} route={route} navigate={navigate} />
      </Section>
    </View>
  );
}

function Alerts({ release, facet }: { release: ReleaseResponse; facet: string | null }) {
  const found = useResource(`alerts ${facet}`, (signal) => fetchAlerts(facet, signal));
  if (found.error) {
    return (
      <Notice kind="error" title="The alerts could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={4} />;
  const { looked, alerts, withheld } = found.data;
  if (alerts.length === 0) return <NoAlerts looked={looked} withheld={withheld} />;
  const csv = fileAddress("alerts", { facet, format: "csv" });
  return (
    <>
      <ol class="alerts" aria-label="Alerts">
        {alerts.map((alert) => (
          <li key={`${alert.cluster_id} ${alert.kind} ${alert.title}`} class="card alert">
            <AlertCard alert={alert} release={release} facet={facet} />
          </li>
        ))}
      </ol>
      {withheld > 0 && <Withheld count={withheld} />}
      {csv && (
        <p class="actions">
          <a href={csv} download>
            Save as CSV
          </a>
        </p>
      )}
    </>
  );
}

export function NoAlerts({ looked, withheld }: { looked: boolean; withheld: number }) {
  if (!looked) {
    return (
      <Notice kind="empty" title="Nobody could look">
        Alerts need conversations with dates, ten days of them at least.
      </Notice>
    );
  }
  return withheld > 0 ? (
    <Notice kind="withheld" title="No alert may be shown">
      {counted(withheld, "change")} {withheld === 1 ? "was" : "were"} found in groups or weeks under
      the privacy thresholds.
    </Notice>
  ) : (
    <Notice kind="empty" title="No alert">
      Nothing changed in the last weeks by more than chance and the rhythm of the week explain.
    </Notice>
  );
}

function Withheld({ count }: { count: number }) {
  return (
    <p class="quiet">
      {counted(count, "more change")} {count === 1 ? "is" : "are"} not shown: too few conversations
      or accounts on one side.
    </p>
  );
}

export const isRise = (alert: Alert) => alert.ratio >= 1;

function seriesWords({ granularity, periods, points }: Trend): string {
  const gaps = periods.length - points.length;
  return (
    `Share of the conversations a ${granularity}, with 95 % interval` +
    (gaps > 0 ? `; ${counted(gaps, granularity)} too few to show` : "")
  );
}

function AlertCard({
  alert,
  release,
  facet,
}: {
  alert: Alert;
  release: ReleaseResponse;
  facet: string | null;
}) {
  const detail = useResource(`cluster ${facet} ${alert.cluster_id}`, (signal) =>
    fetchCluster(alert.cluster_id, facet, signal),
  );
  const trend = detail.data?.trend;
  const what = alert.title.slice(alert.cluster_title.length).replace(/^: /, "");
  return (
    <article aria-labelledby={`alert-${alert.cluster_id}-${alert.kind}`}>
      <h3 id={`alert-${alert.cluster_id}-${alert.kind}`} dir="auto">
        <a href={viewLink("explore", facet, { cluster: alert.cluster_id })}>
          {alert.cluster_title}
        </a>
      </h3>
      <p class={`alert-kind ${isRise(alert) ? "rise" : "fall"}`}>
        <span aria-hidden="true">{isRise(alert) ? "▲ " : "▼ "}</span>
        {what}
      </p>
      <dl class="alert-facts">
        <div>
          <dt>Rate, new over old</dt>
          <dd>
            <b>{times(alert.ratio)}</b>{" "}
            <span class="quiet">{timesInterval(alert.ratio_low, alert.ratio_high)}</span>
          </dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>
            <b>{dayWords(alert.since)}</b>
          </dd>
        </div>
        <div>
          <dt>False discovery rate</dt>
          <dd>
            <b>q ≤ {alert.q}</b>
          </dd>
        </div>
        <div>
          <dt>Last {release.info.granularity ?? "period"}</dt>
          <dd>
            <b>
              {alert.accounts === null
                ? "too few to show"
                : `at least ${counted(alert.accounts, "account")}`}
            </b>
          </dd>
        </div>
      </dl>
      {detail.error ? (
        <Notice kind="error" title="The series could not be loaded">
          {detail.error.message}
        </Notice>
      ) : trend === undefined ? (
        <Loading lines={4} />
      ) : trend === null || trend.points.length < POINTS ? (
        <Notice kind="withheld" title="No series">
          Hardly any {release.info.granularity} alone has enough conversations to show; the alert
          compares longer times.
        </Notice>
      ) : (
        <>
          <p class="quiet">{seriesWords(trend)}</p>
          <TrendChart
            title={alert.cluster_title}
            trend={trend}
            isRoot={false}
            source={sourceLine(release.info)}
            mark={{ day: alert.since, label: `since ${dayWords(alert.since)}` }}
          />
        </>
      )}
    </article>
  );
}

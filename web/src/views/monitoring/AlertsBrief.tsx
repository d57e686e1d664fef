import { fetchAlerts } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { Section } from "../../components/View";
import { counted, dayWords, times, timesInterval } from "../../format";
import { useResource } from "../../resource";
import { viewLink } from "../../route";
import { NoAlerts, isRise } from "./Monitoring";

const SHOWN = 4;

/** The surest alerts, for the overview; nothing where there are no dates to look at. */
export function AlertsBrief({ facet }: { facet: string | null }) {
  const found = useResource(`alerts ${facet}`, (signal) => fetchAlerts(facet, signal));
  const { data } = found;
  if (data && !data.looked) return null;
  return (
    <Section title="Alerts" lead="What changed in the last weeks, by more than chance explains">
      {found.error ? (
        <Notice kind="error" title="The alerts could not be loaded">
          {found.error.message}
        </Notice>
      ) : !data ? (
        <Loading lines={2} />
      ) : data.alerts.length === 0 ? (
        <NoAlerts looked={data.looked} withheld={data.withheld} />
      ) : (
        <>
          <ol class="alert-list" aria-label="Alerts">
            {data.alerts.slice(0, SHOWN).map((alert) => (
              <li key={`${alert.cluster_id} ${alert.kind} ${alert.title}`}>
                <div class="bar-head">
                  <a href={viewLink("monitoring", facet)} dir="auto">
                    {alert.title}
                  </a>
                  <span>
                    <b class={isRise(alert) ? "rise" : "fall"}>
                      <span aria-hidden="true">{isRise(alert) ? "▲ " : "▼ "}</span>
                      {times(alert.ratio)}
                    </b>{" "}
                    <span class="quiet">{timesInterval(alert.ratio_low, alert.ratio_high)}</span>
                  </span>
                </div>
                <p class="quiet">since {dayWords(alert.since)}</p>
              </li>
            ))}
          </ol>
          <p class="actions">
            <a href={viewLink("monitoring", facet)}>
              {data.total > SHOWN ? `All ${counted(data.total, "alert")}` : "See their series"}
            </a>
          </p>
        </>
      )}
    </Section>
  );
}

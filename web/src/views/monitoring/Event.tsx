/** Clusters before and after a day, by what is released. */

import { useState } from "preact/hooks";
import {
  type EventChanges,
  type Moved,
  type ReleaseResponse,
  fetchEvent,
  fileAddress,
} from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { counted, dayRange, dayWords, percent, percentInterval, times, timesInterval } from "../../format";
import { isCopy } from "../../live";
import { useResource } from "../../resource";
import { type Navigate, type Route, viewLink } from "../../route";

const AT_FIRST = 12;
const WINDOWS = [1, 2, 4, 8, 13, 26];

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Event({ release, route, navigate }: Props) {
  const { period, granularity } = release.info;
  if (period === null || granularity === null) {
    return (
      <Notice kind="empty" title="No trends">
        These conversations bear no dates.
      </Notice>
    );
  }
  if (isCopy()) {
    return (
      <Notice kind="empty" title="Not in this copy">
        A running explorer compares any two stretches of time: clio serve.
      </Notice>
    );
  }
  return (
    <>
      <form class="controls" onSubmit={(event) => event.preventDefault()}>
        <label class="choice">
          Day
          <input
            type="date"
            value={route.day ?? ""}
            min={period.first}
            max={period.last}
            onChange={(event) => navigate({ day: event.currentTarget.value || null })}
          />
        </label>
        <label class="choice">
          {granularity === "day" ? "Days" : granularity === "week" ? "Weeks" : "Months"} on each side
          <select
            value={route.periods}
            onChange={(event) => navigate({ periods: Number(event.currentTarget.value) })}
          >
            {[...new Set([...WINDOWS, route.periods])]
              .sort((a, b) => a - b)
              .map((n) => (
                <option key={n} value={n}>
                  {n}
                </option>
              ))}
          </select>
        </label>
      </form>
      {route.day === null ? (
        <Notice kind="empty" title="Choose a day">
          An election, a launch, the day a policy changed: any day from {dayWords(period.first)} to{" "}
          {dayWords(period.last)}.
        </Notice>
      ) : (
        <Changes day={route.day} periods={route.periods} facet={route.facet} />
      )}
    </>
  );
}

interface ChangesProps {
  day: string;
  periods: number;
  facet: string | null;
}

function Changes({ day, periods, facet }: ChangesProps) {
  const [all, setAll] = useState(false);
  const found = useResource(`event ${facet} ${day} ${periods}`, (signal) =>
    fetchEvent(day, periods, facet, signal),
  );
  if (found.error) {
    return (
      <Notice kind="error" title="This day cannot be compared">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={6} />;
  const event = found.data;
  const csv = fileAddress("event", { date: day, periods, facet, format: "csv" });
  const rows = all ? event.rows : event.rows.slice(0, AT_FIRST);
  return (
    <div class={found.loading ? "loading" : undefined} aria-busy={found.loading}>
      <p>
        <b>
          {event.sure === 0
            ? "No change is sure."
            : `${counted(event.sure, "change is", "changes are")} sure.`}
        </b>{" "}
        {dayRange(event.before.first, event.before.last)} against{" "}
        {dayRange(event.after.first, event.after.last)};{" "}
        {counted(event.compared, "cluster")} compared.
      </p>
      <p class="quiet">{placebo(event)}</p>
      {rows.length === 0 ? (
        <Notice kind="withheld" title="Nothing to compare">
          No cluster has enough released periods on both sides.
        </Notice>
      ) : (
        <div class="table-place" role="region" aria-label="Before and after" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col" class="wide">
                  Cluster
                </th>
                <th scope="col">Before</th>
                <th scope="col">After</th>
                <th scope="col">Ratio</th>
                <th scope="col">Other dates</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <MovedRow key={row.cluster_id} row={row} facet={facet} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="actions">
        {event.rows.length > AT_FIRST && (
          <button type="button" onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show all ${event.rows.length}`}
          </button>
        )}
        {csv && (
          <a href={csv} download>
            Save as CSV
          </a>
        )}
      </p>
    </div>
  );
}

function placebo({ other_dates, granularity }: EventChanges): string {
  return other_dates < 5
    ? `The history has too few other dates of this length to hold the day against: ordinary ${granularity}s may look like this.`
    : `“Other dates”: at how many of ${other_dates} others the cluster moved as far. Windows overlap.`;
}

function MovedRow({ row, facet }: { row: Moved; facet: string | null }) {
  const [before, beforeInterval] = percentInterval(row.before, row.before_low, row.before_high);
  const [after, afterInterval] = percentInterval(row.after, row.after_low, row.after_high);
  return (
    <tr>
      <th scope="row" class="wide" dir="auto">
        <a href={viewLink("explore", facet, { cluster: row.cluster_id })}>{row.title}</a>
      </th>
      <td>
        {before} <span class="quiet">{beforeInterval}</span>
      </td>
      <td>
        {after} <span class="quiet">{afterInterval}</span>
      </td>
      <td>
        {row.sure ? (
          <b class={row.ratio >= 1 ? "rise" : "fall"}>
            <span aria-hidden="true">{row.ratio >= 1 ? "▲ " : "▼ "}</span>
            {times(row.ratio)}
          </b>
        ) : (
          <span class="unsure">{times(row.ratio)}</span>
        )}{" "}
        <span class="quiet">
          {timesInterval(row.ratio_low, row.ratio_high)}
          {!row.sure && ", not sure"}
        </span>
      </td>
      <td>{row.others === null ? <span class="quiet">too few</span> : percent(row.others)}</td>
    </tr>
  );
}


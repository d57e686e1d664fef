/** Up to eight clusters over time, side by side. */

import { useMemo, useState } from "preact/hooks";
import {
  type Granularity,
  type ReleaseResponse,
  type Trends as Series,
  type TreeNode,
  ROOT,
  fetchTree,
  fetchTrends,
  fileAddress,
} from "../../api";
import { SeriesChart, seriesColour } from "../../charts/SeriesChart";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice, View } from "../../components/View";
import { counted, name } from "../../format";
import { useResource } from "../../resource";
import { type Navigate, type Route, viewLink } from "../../route";
import { sourceLine } from "../../source";
import { Picker } from "./Picker";
import { SeriesTable } from "./SeriesTable";

const MOST = 8;
const AT_FIRST = 5;

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Trends(props: Props) {
  const { release, route } = props;
  const { facet } = route;
  const tree = useResource(`tree ${facet}`, (signal) => fetchTree(facet, signal));
  return (
    <View
      title="Trends"
      lead="Pick up to eight clusters and see how their share of the conversations changed."
    >
      <FacetChoice info={release.info} route={route} navigate={props.navigate} />
      {release.info.granularity === null ? (
        <Notice kind="empty" title="No trends">
          These conversations bear no dates.
        </Notice>
      ) : tree.error ? (
        <Notice kind="error" title="The clusters could not be loaded">
          {tree.error.message}
        </Notice>
      ) : tree.data ? (
        <Chosen {...props} nodes={tree.data.nodes} />
      ) : (
        <Loading lines={8} />
      )}
    </View>
  );
}

function Chosen({ release, route, navigate, nodes }: Props & { nodes: TreeNode[] }) {
  const { facet, by, absolute } = route;
  const [copied, setCopied] = useState(false);
  const known = useMemo(() => new Map(nodes.map((node) => [node.id, node])), [nodes]);
  const asked = route.picked.filter((id) => known.has(id));
  const picked =
    asked.length > 0
      ? asked
      : nodes.filter((node) => node.parent === ROOT).slice(0, AT_FIRST).map((node) => node.id);
  const gone = route.picked.length - asked.length;
  const trends = useResource(
    picked.length > 0 ? `trends ${facet} ${by} ${picked.join(" ")}` : null,
    (signal) => fetchTrends(picked, by, facet, signal),
  );
  const data = trends.data;
  const csv = fileAddress("trends", { cluster: picked, granularity: by, facet, format: "csv" });
  if (picked.length === 0) {
    return (
      <Notice kind="withheld" title="No cluster is released">
        None passed the privacy thresholds, so there is nothing to follow over time.
      </Notice>
    );
  }
  return (
    <>
      {gone > 0 && (
        <Notice kind="warning" title={`${counted(gone, "cluster")} left out`}>
          This release does not show every cluster that the link names.
        </Notice>
      )}
      <ul class="chips" aria-label="Clusters in the chart">
        {picked.map((id, i) => (
          <li key={id} style={{ borderColor: seriesColour(i) }}>
            <b style={{ color: seriesColour(i) }}>{i + 1}</b>
            <a href={viewLink("explore", facet, { cluster: id })} dir="auto">
              {known.get(id)?.title}
            </a>
            <button
              type="button"
              aria-label={`Remove ${known.get(id)?.title}`}
              disabled={picked.length === 1}
              onClick={() => navigate({ picked: picked.filter((other) => other !== id) })}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <div class="controls">
        <Picker
          nodes={nodes}
          picked={picked}
          full={picked.length >= MOST}
          pick={(id) => navigate({ picked: [...picked, id] })}
        />
        <label class="choice">
          Period
          <select
            value={by ?? release.info.granularity ?? ""}
            onChange={(event) => {
              const chosen = event.currentTarget.value as Granularity;
              navigate({ by: chosen === release.info.granularity ? null : chosen });
            }}
          >
            {(data?.available ?? [by ?? release.info.granularity ?? "week"]).map((one) => (
              <option key={one} value={one}>
                {name(one)}
              </option>
            ))}
          </select>
        </label>
        <fieldset class="segments">
          <legend class="hidden">Scale</legend>
          {[false, true].map((value) => (
            <label key={String(value)}>
              <input
                type="radio"
                name="scale"
                checked={absolute === value}
                onChange={() => navigate({ absolute: value })}
              />
              <span>{value ? "Conversations" : "Share"}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {trends.error ? (
        <Notice kind="error" title="The trends could not be loaded">
          {trends.error.message}
        </Notice>
      ) : !data ? (
        <Loading lines={8} />
      ) : (
        <div class={trends.loading ? "loading" : undefined} aria-busy={trends.loading}>
          <p class="quiet">
            {absolute
              ? `Conversations a ${data.granularity}`
              : `Share of the ${data.granularity}’s conversations, with 95 % interval`}
            {withheldWords(data)}
          </p>
          <SeriesChart
            trends={data}
            absolute={absolute}
            source={sourceLine(release.info)}
            actions={
              <>
                {csv && (
                  <a href={csv} download>
                    Save as CSV
                  </a>
                )}
                <button
                  type="button"
                  onClick={() =>
                    void navigator.clipboard.writeText(location.href).then(() => setCopied(true))
                  }
                >
                  {copied ? "Link copied" : "Copy link"}
                </button>
              </>
            }
          />
          <SeriesTable trends={data} />
        </div>
      )}
    </>
  );
}

function withheldWords({ series, periods }: Series): string {
  const missing = series.reduce((sum, { points }) => sum + periods.length - points.length, 0);
  const partly = series.some(({ points }) => points.some((point) => point.withheld > 0));
  return (
    (missing > 0 ? `; ${counted(missing, "point")} withheld for privacy, left as gaps` : "") +
    (partly ? "; hollow points: a part is withheld" : "")
  );
}

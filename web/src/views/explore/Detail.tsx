/** Everything the release says about the selected cluster. */

import { useEffect, useRef } from "preact/hooks";
import { ApiError, type ClusterDetail, type ReleaseResponse, ROOT, fetchCluster } from "../../api";
import { IntervalChart } from "../../charts/IntervalChart";
import { TrendChart } from "../../charts/TrendChart";
import { type Bar, Bars } from "../../components/Bars";
import { Loading, Notice } from "../../components/Notice";
import { Section, arrive } from "../../components/View";
import { count, counted, percentInterval, tells } from "../../format";
import { useServing } from "../../live";
import { useResource } from "../../resource";
import { type Route, formatRoute, viewLink } from "../../route";
import { sourceLine } from "../../source";
import { EditSection } from "../edit/EditSection";
import { TracesSection } from "../traces/TracesSection";
import { Breakdowns } from "./Breakdowns";
import { Measures } from "./Measures";
import { TrendTable } from "./TrendTable";
import type { Hierarchy } from "./hierarchy";

interface Props {
  release: ReleaseResponse;
  hierarchy: Hierarchy | null;
  route: Route;
}

/** Where the cluster lies below the list instead of beside it, as in style/narrow.css. */
const STACKED = "(max-width: 60rem)";

export function Detail({ release, hierarchy, route }: Props) {
  const { cluster: id, facet } = route;
  const detail = useResource(`cluster ${facet} ${id}`, (signal) => fetchCluster(id, facet, signal));
  const serving = useServing();
  const shown = detail.data?.cluster.cluster_id;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    if (!detail.data) return;
    const title = detail.data.cluster.title;
    document.title = shown === ROOT ? "Explore · Clio" : `${title} · Clio`;
    // A link inside the old cluster is gone with it: go on reading at the new one's heading.
    // Who types, or walks the tree or the hits beside it, stays there.
    const active = document.activeElement;
    const beside =
      active?.closest(".search") || (active?.closest(".sidebar") && !matchMedia(STACKED).matches);
    if (arrive() && !beside) {
      heading.current?.focus();
    }
  }, [shown, facet]);

  if (detail.error) {
    const missing = detail.error instanceof ApiError && detail.error.status === 404;
    return (
      <Notice kind="error" title={missing ? "No such cluster" : "The cluster could not be loaded"}>
        {missing ? (
          <>
            This release does not show it.{" "}
            <a class="inline" href={viewLink("overview", facet)}>
              Go to the overview
            </a>
          </>
        ) : (
          detail.error.message
        )}
      </Notice>
    );
  }
  if (!detail.data) return <Loading lines={8} />;
  const { cluster, breakdowns, numeric } = detail.data;
  const isRoot = cluster.cluster_id === ROOT;
  return (
    <article aria-busy={detail.loading} class={detail.loading ? "loading" : undefined}>
      {!isRoot && <Path detail={detail.data} route={route} />}
      <h1 tabIndex={-1} ref={heading} dir="auto">
        {isRoot ? "All conversations" : cluster.title}
      </h1>
      <p class="summary" dir="auto">
        {isRoot
          ? "Similar conversations are grouped, and similar groups are grouped again. Choose one to look inside."
          : cluster.summary}
      </p>
      {!isRoot && <Share detail={detail.data} hierarchy={hierarchy} />}
      <Children detail={detail.data} route={route} />
      <Section title="Over time">
        <OverTime detail={detail.data} release={release} facet={facet} />
      </Section>
      {breakdowns.length > 0 && (
        <Section title="Breakdowns">
          <Breakdowns
            breakdowns={breakdowns}
            isRoot={isRoot}
            conversations={cluster.conversations}
          />
        </Section>
      )}
      {numeric.length > 0 && (
        <Section title="Measures">
          <Measures measures={numeric} isRoot={isRoot} />
        </Section>
      )}
      {serving.edit && <EditSection cluster={cluster} facet={facet} />}
      {serving.traces && !isRoot && <TracesSection id={cluster.cluster_id} />}
    </article>
  );
}

function Path({ detail, route }: { detail: ClusterDetail; route: Route }) {
  return (
    <nav aria-label="Path" class="path">
      <ol>
        {detail.path.slice(0, -1).map((step) => (
          <li key={step.cluster_id}>
            <a href={formatRoute({ ...route, cluster: step.cluster_id })} dir="auto">
              {step.title}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Share({ detail, hierarchy }: { detail: ClusterDetail; hierarchy: Hierarchy | null }) {
  const { cluster } = detail;
  const siblings = (hierarchy?.children.get(cluster.parent_id ?? "") ?? []).filter(
    (node) => node.id !== cluster.cluster_id,
  );
  const [share, interval] = percentInterval(cluster.share, cluster.share_low, cluster.share_high);
  const told = tells(cluster.share_low, cluster.share_high);
  return (
    <div class="share">
      <p class="share-words">
        <span class="share-number">{share}</span>
        <span>
          of conversations{told && ` (95 % interval ${interval})`}
          <br />
          {counted(cluster.conversations, "conversation")}
          {cluster.accounts > 0 && `, at least ${counted(cluster.accounts, "account")}`}
        </span>
      </p>
      {told && (
        <div class="share-chart">
          <IntervalChart
            node={{
              id: cluster.cluster_id,
              parent: cluster.parent_id,
              level: cluster.level,
              title: cluster.title,
              conversations: cluster.conversations,
              share: cluster.share,
              low: cluster.share_low,
              high: cluster.share_high,
              measures: {},
              change: null,
            }}
            siblings={siblings}
          />
          {siblings.length > 0 && (
            <p class="quiet">grey lines: the {count(siblings.length)} beside it</p>
          )}
        </div>
      )}
    </div>
  );
}

function Children({ detail, route }: { detail: ClusterDetail; route: Route }) {
  const { cluster, children } = detail;
  const isRoot = cluster.cluster_id === ROOT;
  if (children.length === 0) {
    return isRoot ? (
      <Notice kind="withheld" title="No cluster is released">
        None passed the privacy thresholds: all {count(cluster.conversations)} conversations are in
        groups that are too few to show.
      </Notice>
    ) : null;
  }
  const bars: Bar[] = children.map((child) => ({
    key: child.cluster_id,
    label: child.title,
    share: child.share,
    ...(tells(child.share_low, child.share_high) && {
      low: child.share_low,
      high: child.share_high,
    }),
    href: formatRoute({ ...route, cluster: child.cluster_id }),
  }));
  if (cluster.other_conversations > 0) {
    bars.push({
      key: "other",
      label: "Other (not shown)",
      share: (cluster.other_conversations / cluster.conversations) * cluster.share,
      detail: `${counted(cluster.other_conversations, "conversation")} in groups under the privacy thresholds`,
      muted: true,
    });
  }
  return (
    <section>
      <h2>{isRoot ? "Largest uses" : "Inside"}</h2>
      <p class="quiet">
        Share of all conversations{bars.some((bar) => bar.low !== undefined) && ", with 95 % interval"}
      </p>
      <Bars bars={bars} describe="Clusters by share" />
    </section>
  );
}

interface OverTimeProps {
  detail: ClusterDetail;
  release: ReleaseResponse;
  facet: string | null;
}

function OverTime({ detail, release, facet }: OverTimeProps) {
  const { trend, cluster, children } = detail;
  const isRoot = cluster.cluster_id === ROOT;
  if (trend === null) {
    return (
      <Notice kind="empty" title="No trend">
        These conversations bear no dates.
      </Notice>
    );
  }
  if (trend.points.length === 0) {
    return (
      <Notice kind="withheld" title="No trend">
        In no {trend.granularity} were there enough conversations to show.
      </Notice>
    );
  }
  const over = (picked: string[]) => viewLink("trends", facet, { picked });
  const gaps = trend.periods.length - trend.points.length;
  return (
    <>
      <p class="quiet">
        {isRoot ? "Conversations" : "Share of the conversations"} a {trend.granularity}
        {!isRoot && ", with 95 % interval"}
        {gaps > 0 && `; ${counted(gaps, trend.granularity)} too few to show`}
      </p>
      <TrendChart
        title={cluster.title}
        trend={trend}
        isRoot={isRoot}
        source={sourceLine(release.info)}
        actions={
          <>
            {!isRoot && <a href={over([cluster.cluster_id])}>Compare with others</a>}
            {children.length > 0 && (
              <a href={over(children.slice(0, 8).map((child) => child.cluster_id))}>
                Its parts over time
              </a>
            )}
          </>
        }
      />
      <TrendTable trend={trend} />
    </>
  );
}

/** What this corpus is, at a glance; every line leads further. */

import { useMemo } from "preact/hooks";
import {
  type ClusterDetail,
  type ReleaseResponse,
  ROOT,
  fetchCluster,
  fetchDimensions,
  fetchSurprises,
  fetchTree,
} from "../../api";
import { TrendChart } from "../../charts/TrendChart";
import { type Bar, Bars } from "../../components/Bars";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice, Section, View } from "../../components/View";
import { count, counted, name, percent, percentInterval, tells, times } from "../../format";
import { useResource } from "../../resource";
import { type Navigate, type Route, viewLink } from "../../route";
import { sourceLine } from "../../source";
import { valueName } from "../../values";
import { AlertsBrief } from "../monitoring/AlertsBrief";
import { CorpusFacts } from "./CorpusFacts";
import { Movers } from "./Movers";

const TOP_VALUES = 5;
const CARDS = 3;
const FIRST_DIMENSIONS = ["language", "country", "product"];

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Overview({ release, route, navigate }: Props) {
  const { facet } = route;
  const tree = useResource(`tree ${facet}`, (signal) => fetchTree(facet, signal));
  const root = useResource(`cluster ${facet} ${ROOT}`, (signal) =>
    fetchCluster(ROOT, facet, signal),
  );
  const { info } = release;
  return (
    <View
      title="What these conversations are about"
      lead="Similar conversations are grouped, and similar groups are grouped again. Choose one to look inside."
    >
      <CorpusFacts release={release} tree={tree.data?.nodes ?? null} />
      <FacetChoice info={info} route={route} navigate={navigate} />
      {(tree.error ?? root.error) && (
        <Notice kind="error" title="The clusters could not be loaded">
          {(tree.error ?? root.error)?.message}
        </Notice>
      )}
      <div class="overview">
        <Uses detail={root.data} facet={facet} />
        <div>
          <AlertsBrief facet={facet} />
          <Section
            title="Biggest movers"
            lead="Share of conversations in the first and the last third of the period, with 95 % intervals"
          >
            {tree.data ? (
              <Movers nodes={tree.data.nodes} facet={facet} dated={info.period !== null} />
            ) : (
              <Loading lines={4} />
            )}
          </Section>
          <Section title="Conversations over time">
            <OverTime detail={root.data} release={release} />
          </Section>
        </div>
      </div>
      <Surprises facet={facet} />
      <Who facet={facet} />
    </View>
  );
}

function Uses({ detail, facet }: { detail: ClusterDetail | null; facet: string | null }) {
  return (
    <Section title="Largest uses" lead="Share of all conversations, with 95 % interval">
      {!detail ? (
        <Loading lines={10} />
      ) : detail.children.length === 0 ? (
        <Notice kind="withheld" title="No cluster is released">
          None passed the privacy thresholds: all {count(detail.cluster.conversations)}{" "}
          conversations are in groups that are too few to show.
        </Notice>
      ) : (
        <Bars bars={uses(detail, facet)} describe="Largest uses by share" />
      )}
    </Section>
  );
}

function uses({ cluster, children }: ClusterDetail, facet: string | null): Bar[] {
  const bars: Bar[] = children.map((child) => ({
    key: child.cluster_id,
    label: child.title,
    share: child.share,
    ...(tells(child.share_low, child.share_high) && {
      low: child.share_low,
      high: child.share_high,
    }),
    href: viewLink("explore", facet, { cluster: child.cluster_id }),
    detail:
      counted(child.conversations, "conversation") +
      (child.accounts > 0 ? `, at least ${counted(child.accounts, "account")}` : ""),
  }));
  if (cluster.other_conversations > 0) {
    bars.push({
      key: "other",
      label: "Other (not shown)",
      share: cluster.other_conversations / cluster.conversations,
      detail: `${counted(cluster.other_conversations, "conversation")} in groups too few to show`,
      muted: true,
    });
  }
  return bars;
}

function OverTime({
  detail,
  release,
}: {
  detail: ClusterDetail | null;
  release: ReleaseResponse;
}) {
  if (!detail) return <Loading lines={3} />;
  if (!detail.trend || detail.trend.points.length === 0) {
    return (
      <Notice kind={detail.trend ? "withheld" : "empty"} title="No trend">
        {detail.trend
          ? `In no ${detail.trend.granularity} were there enough conversations to show.`
          : "These conversations bear no dates."}
      </Notice>
    );
  }
  return (
    <TrendChart
      title="All conversations"
      trend={detail.trend}
      isRoot
      source={sourceLine(release.info)}
    />
  );
}

function Surprises({ facet }: { facet: string | null }) {
  const found = useResource(`surprises ${facet}`, (signal) => fetchSurprises(facet, signal));
  return (
    <Section
      title="Small and surprising"
      lead="Clusters of at most median size in which something is surely more frequent than overall"
    >
      {found.error ? (
        <Notice kind="error" title="They could not be loaded">
          {found.error.message}
        </Notice>
      ) : !found.data ? (
        <Loading lines={3} />
      ) : found.data.surprises.length === 0 ? (
        <Notice kind="empty" title="None stands out">
          In no small cluster is anything surely more frequent than overall.
        </Notice>
      ) : (
        <ul class="cards">
          {found.data.surprises.map(({ cluster, dimension, value, share, low, high, baseline }) => {
            const [part, interval] = percentInterval(share, low, high);
            return (
              <li class="card surprise" key={cluster.cluster_id}>
                <h3 dir="auto">
                  <a href={viewLink("explore", facet, { cluster: cluster.cluster_id })}>
                    {cluster.title}
                  </a>
                </h3>
                <p>
                  <b class="lift">{times(share / baseline)}</b>{" "}
                  <span>
                    the overall rate of {name(dimension).toLowerCase()}{" "}
                    <q dir="auto">{valueName(dimension, value)}</q>
                  </span>
                </p>
                <p class="quiet">
                  {part} ({interval}), overall {percent(baseline)}
                </p>
                <p class="quiet">{counted(cluster.conversations, "conversation")}</p>
              </li>
            );
          })}
        </ul>
      )}
    </Section>
  );
}

function Who({ facet }: { facet: string | null }) {
  const found = useResource(`dimensions ${facet}`, (signal) => fetchDimensions(facet, signal));
  const shown = useMemo(() => {
    const all = found.data?.dimensions ?? [];
    const first = FIRST_DIMENSIONS.flatMap((d) => all.filter((one) => one.dimension === d));
    return [...first, ...all.filter((one) => !first.includes(one))].slice(0, CARDS);
  }, [found.data]);
  if (found.error || (found.data && shown.length === 0)) return null;
  return (
    <Section title="Who and where" lead="Share of all conversations">
      {!found.data ? (
        <Loading lines={3} />
      ) : (
        <div class="cards">
          {shown.map(({ dimension, values }) => (
            <div class="card" key={dimension}>
              <h3>{name(dimension)}</h3>
              <Bars
                describe={`${name(dimension)} by share`}
                bars={values.slice(0, TOP_VALUES).map((v) => ({
                  key: v.value,
                  label: valueName(dimension, v.value),
                  share: v.share,
                }))}
              />
              <p class="actions">
                <a href={viewLink("facets", facet, { dimension })}>
                  {name(dimension)} by cluster
                </a>
              </p>
            </div>
          ))}
        </div>
      )}
    </Section>
  );
}

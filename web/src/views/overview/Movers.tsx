import type { Change, TreeNode } from "../../api";
import { Notice } from "../../components/Notice";
import { percent, points } from "../../format";
import { GROWTH, viewLink } from "../../route";

const SHOWN = 6;

interface Mover {
  node: TreeNode;
  change: Change;
}

interface Props {
  nodes: TreeNode[];
  facet: string | null;
  dated: boolean;
}

/** The factor by which a share changed at least, as the nearer ends of the intervals have it. */
function leastFactor({ first_low, first_high, last_low, last_high, last, first }: Change): number {
  return last > first ? last_low / Math.max(first_high, 1e-9) : first_low / Math.max(last_high, 1e-9);
}

/** Clusters whose share surely changed, the surest first. */
export function Movers({ nodes, facet, dated }: Props) {
  const known = nodes.filter((node) => node.change !== null).length;
  const movers = nodes
    .flatMap((node): Mover[] => (node.change?.sure ? [{ node, change: node.change }] : []))
    .sort((a, b) => leastFactor(b.change) - leastFactor(a.change))
    .slice(0, SHOWN);
  if (!dated) {
    return (
      <Notice kind="empty" title="No trends">
        These conversations bear no dates.
      </Notice>
    );
  }
  if (movers.length === 0) {
    return (
      <Notice kind="empty" title="No change is sure">
        {known > 0
          ? `Of the ${known} clusters with enough to compare, none changed by more than its intervals allow.`
          : "No cluster has enough conversations in both thirds to compare."}
      </Notice>
    );
  }
  const top = Math.max(...movers.flatMap(({ change: c }) => [c.first_high, c.last_high]));
  const at = (share: number) => `${(100 * share) / top}%`;
  return (
    <>
      <ol class="movers" aria-label="Biggest movers">
        {movers.map(({ node, change }) => (
          <li key={node.id}>
            <div class="bar-head">
              <a href={viewLink("explore", facet, { cluster: node.id })} dir="auto">
                {node.title}
              </a>
              <b class={change.last > change.first ? "rise" : "fall"}>
                <span aria-hidden="true">{change.last > change.first ? "▲ " : "▼ "}</span>
                {points(change.last - change.first)}
              </b>
            </div>
            <div class="mover-track" aria-hidden="true">
              <Span low={change.first_low} mid={change.first} high={change.first_high} at={at} kind="first" />
              <Span low={change.last_low} mid={change.last} high={change.last_high} at={at} kind="last" />
            </div>
            <div class="quiet">
              {percent(change.first)} ({percent(change.first_low)} to {percent(change.first_high)}),
              then {percent(change.last)} ({percent(change.last_low)} to {percent(change.last_high)})
            </div>
          </li>
        ))}
      </ol>
      <p class="quiet legend">
        <span class="legend-first" aria-hidden="true" /> first third
        <span class="legend-last" aria-hidden="true" /> last third
      </p>
      <p class="actions">
        <a href={viewLink("trends", facet, { picked: movers.map(({ node }) => node.id) })}>
          See them over time
        </a>
        <a href={viewLink("explore", facet, { sort: GROWTH })}>All clusters by growth</a>
      </p>
    </>
  );
}

interface SpanProps {
  low: number;
  mid: number;
  high: number;
  at: (share: number) => string;
  kind: "first" | "last";
}

function Span({ low, mid, high, at, kind }: SpanProps) {
  return (
    <>
      <i class={`span ${kind}`} style={{ left: at(low), width: at(high - low) }} />
      <i class={`span-dot ${kind}`} style={{ left: at(mid) }} />
    </>
  );
}

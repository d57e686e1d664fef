import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { type ReleaseResponse, type TreeNode, ROOT } from "../../api";
import { count, counted, dayRange, percent, thresholdWords } from "../../format";
import { viewLink } from "../../route";

interface Props {
  release: ReleaseResponse;
  tree: TreeNode[] | null;
}

/** How much there is, and how safe it is to look at. */
export function CorpusFacts({ release, tree }: Props) {
  const { info, withheld } = release;
  // What was only described in plainer words is shown all the same.
  const hidden = withheld.filter((w) => w.reason !== "wording");
  const cells = hidden.reduce((sum, w) => sum + (w.table === "clusters" ? 0 : w.cells), 0);
  const clusters = hidden.reduce((sum, w) => sum + (w.table === "clusters" ? w.cells : 0), 0);
  const outside = useMemo(() => tree && outsideLeaves(tree), [tree]);
  return (
    <dl class="facts">
      <Fact term="Conversations" detail={info.period ? null : "without dates"}>
        {count(info.totals.conversations)}
      </Fact>
      {info.totals.accounts > 0 && (
        <Fact term={info.account_basis === "none" ? "Distinct texts" : "Accounts"}>
          at least {count(info.totals.accounts)}
        </Fact>
      )}
      {info.period && (
        <Fact term="Period">{dayRange(info.period.first, info.period.last)}</Fact>
      )}
      <Fact term="Clusters shown" detail={`each of at least ${thresholdWords(info.thresholds)}`}>
        {count(info.facets.flatMap((facet) => facet.clusters).reduce((sum, n) => sum + n, 0))}
      </Fact>
      <Fact
        term="Withheld for privacy"
        detail={
          <>
            of conversations are in no cluster of the finest level;{" "}
            <a class="inline" href={viewLink("method", null)}>
              {counted(clusters, "cluster")} and {counted(cells, "cell")} not shown
            </a>
          </>
        }
      >
        {outside === null ? "…" : percent(outside)}
      </Fact>
    </dl>
  );
}

interface FactProps {
  term: string;
  detail?: ComponentChildren;
  children: ComponentChildren;
}

function Fact({ term, detail, children }: FactProps) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <b>{children}</b>
        {detail && <span class="quiet">{detail}</span>}
      </dd>
    </div>
  );
}

/** Share of conversations that no released leaf holds. */
function outsideLeaves(nodes: TreeNode[]): number {
  const root = nodes.find((node) => node.id === ROOT)?.conversations ?? 0;
  const inside = nodes.reduce((sum, n) => sum + (n.level === 0 ? n.conversations : 0), 0);
  return root > 0 ? Math.max(0, 1 - inside / root) : 0;
}

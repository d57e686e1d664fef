import type { ReleaseResponse } from "../api";
import { count, counted, dayRange } from "../format";

/** What this corpus is, and how safe it is to look at. */
export function Header({ release }: { release: ReleaseResponse }) {
  const { info, withheld } = release;
  const cells = (table: string) =>
    withheld.filter((w) => w.table === table).reduce((sum, w) => sum + w.cells, 0);
  const clusters = cells("clusters");
  const others = withheld.reduce((sum, w) => sum + w.cells, 0) - clusters;
  const { accounts, conversations } = info.thresholds;
  return (
    <header class="site-header">
      <a class="brand" href="#/">
        <span class="brand-mark" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        Clio
      </a>
      <dl class="facts">
        <div>
          <dt>Conversations</dt>
          <dd>{count(info.totals.conversations)}</dd>
        </div>
        <div>
          <dt>{info.account_basis === "none" ? "Distinct texts" : "Accounts"}</dt>
          <dd>at least {count(info.totals.accounts)}</dd>
        </div>
        <div>
          <dt>Period</dt>
          <dd>{info.period ? dayRange(info.period.first, info.period.last) : "no dates"}</dd>
        </div>
        <div>
          <dt>Shown from</dt>
          <dd>
            {count(Number(accounts))} accounts, {count(Number(conversations))} conversations{" "}
            <span class="tag">{info.preset}</span>
          </dd>
        </div>
        <div>
          <dt>Withheld as too few</dt>
          <dd>
            {counted(clusters, "cluster")}, {counted(others, "cell")}
          </dd>
        </div>
      </dl>
    </header>
  );
}

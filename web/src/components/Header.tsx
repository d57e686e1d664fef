import type { ReleaseResponse } from "../api";
import { count, counted, dayRange } from "../format";

/** What this corpus is, and how safe it is to look at. */
export function Header({ release }: { release: ReleaseResponse }) {
  const { info, withheld } = release;
  // What was only described in plainer words is shown all the same.
  const hidden = withheld.filter((w) => w.reason !== "wording");
  const sum = (rows: typeof hidden) => rows.reduce((total, w) => total + w.cells, 0);
  const clusters = sum(hidden.filter((w) => w.table === "clusters"));
  const others = sum(hidden) - clusters;
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
        {info.totals.accounts > 0 && (
          <div>
            <dt>{info.account_basis === "none" ? "Distinct texts" : "Accounts"}</dt>
            <dd>at least {count(info.totals.accounts)}</dd>
          </div>
        )}
        <div>
          <dt>Period</dt>
          <dd>{info.period ? dayRange(info.period.first, info.period.last) : "no dates"}</dd>
        </div>
        <div>
          <dt>Shown from</dt>
          <dd>
            {Number(accounts) > 1 && `${count(Number(accounts))} accounts, `}
            {count(Number(conversations))} conversations{" "}
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

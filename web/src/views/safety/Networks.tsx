import { useState } from "preact/hooks";
import { Loading, Notice } from "../../components/Notice";
import { count, counted, dayRange, dayWords, name } from "../../format";
import { type Network, fetchNetworkAccounts, fetchNetworks } from "../../live";
import { useResource } from "../../resource";

/** Groups of accounts: the numbers that speak for and against each; accounts only when asked. */
export function Networks() {
  const found = useResource("safety networks", fetchNetworks);
  if (found.error) {
    return (
      <Notice kind="error" title="The networks could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={4} />;
  const { looked, networks } = found.data;
  if (!looked) {
    return (
      <Notice kind="empty" title="Nobody has looked">
        clio networks RUN looks for accounts that act together.
      </Notice>
    );
  }
  if (networks.length === 0) {
    return (
      <Notice kind="empty" title="No network">
        No accounts have more in common than chance gives.
      </Notice>
    );
  }
  return (
    <ol class="networks" aria-label="Networks">
      {networks.map((network) => (
        <li key={network.network_id} class="card">
          <NetworkCard network={network} />
        </li>
      ))}
    </ol>
  );
}

function NetworkCard({ network }: { network: Network }) {
  const id = `network-${network.network_id}`;
  return (
    <article aria-labelledby={id}>
      <h3 id={id}>
        {name(network.network_id.replace("-", " "))}{" "}
        <span class={network.kind === "network" ? "tag tag-warning" : "tag"}>{network.kind}</span>
      </h3>
      <dl class="alert-facts">
        <Fact term="Accounts">{count(network.accounts)}</Fact>
        <Fact term="Conversations in common">{count(network.conversations)}</Fact>
        <Fact term="Time">{time(network)}</Fact>
        <Fact term="Growth">
          {network.growth === null ? "not known" : `${network.growth.toFixed(2)}×`}
        </Fact>
        <Fact term="Score">{network.score.toFixed(1)}</Fact>
        <Fact term="Chance of such a group">{`q ${network.q}`}</Fact>
      </dl>
      <p>
        <b>In common:</b> {network.evidence.join(", ")}.{" "}
        <b>Nearest innocent explanation:</b> {network.explanation} (fit {network.fit.toFixed(2)}).
      </p>
      {network.titles.length > 0 && (
        <p>
          <b>About:</b>{" "}
          {network.titles.map((title, i) => (
            <span key={i}>
              {i > 0 && "; "}
              <span dir="auto">{title}</span>
            </span>
          ))}
        </p>
      )}
      <details>
        <summary>What was measured</summary>
        <dl class="parts">
          {Object.entries(network.parts).map(([part, value]) => (
            <div key={part}>
              <dt>{name(part)}</dt>
              <dd>{value === null ? "not known" : String(value)}</dd>
            </div>
          ))}
        </dl>
        {network.template !== null && (
          <>
            <p class="quiet">What their texts have in common, as they wrote it:</p>
            <blockquote dir="auto">{network.template}</blockquote>
          </>
        )}
      </details>
      <Accounts id={network.network_id} />
    </article>
  );
}

function time({ first, last }: Network): string {
  if (first === null || last === null) return "without dates";
  return first === last ? dayWords(first) : dayRange(first, last);
}

function Fact({ term, children }: { term: string; children: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <b>{children}</b>
      </dd>
    </div>
  );
}

/** Pseudonyms of a network: only when somebody asks for them, which the log tells by itself. */
function Accounts({ id }: { id: string }) {
  const [asked, setAsked] = useState(false);
  const found = useResource(asked ? `safety accounts ${id}` : null, (signal) =>
    fetchNetworkAccounts(id, signal),
  );
  if (!asked) {
    return (
      <p class="actions">
        <button type="button" onClick={() => setAsked(true)}>
          Show pseudonyms
        </button>
        <span class="quiet">noted in the log by itself</span>
      </p>
    );
  }
  if (found.error) {
    return (
      <Notice kind="error" title="The accounts could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={3} />;
  const { accounts } = found.data;
  return (
    <div class="table-place" role="region" aria-label={`Accounts of ${id}`} tabIndex={0}>
      <table>
        <caption class="quiet">
          {counted(accounts.length, "pseudonym")}; clio reveal finds the accounts behind them
        </caption>
        <thead>
          <tr>
            <th scope="col">Pseudonym</th>
            <th scope="col">Conversations</th>
            <th scope="col">In common</th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((row) => (
            <tr key={row.account}>
              <th scope="row">
                <code>{row.account}</code>
              </th>
              <td>{count(row.conversations)}</td>
              <td>{count(row.common)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

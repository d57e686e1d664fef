import type { ComponentChildren } from "preact";
import type { ReleaseResponse } from "../../api";
import { count, name } from "../../format";

/** Settings, counts at each end, and what is not shown. */
export function Method({ release }: { release: ReleaseResponse }) {
  const { info, withheld } = release;
  return (
    <>
      {info.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      <div class="cards">
        <Facts title="Rows read">
          {Object.entries(info.outcomes).map(([outcome, n]) => (
            <Fact key={outcome} term={name(outcome)}>
              {count(n)}
            </Fact>
          ))}
        </Facts>
        <Facts title="Withheld">
          {withheld.length === 0 && <Fact term="Nothing">0</Fact>}
          {withheld.map((w, i) => (
            <Fact
              key={i}
              term={`${name(w.table)}${level(w.level)}: ${REASONS[w.reason] ?? w.reason}`}
            >
              {count(w.cells)}
            </Fact>
          ))}
        </Facts>
        <Facts title={`Privacy preset ${info.preset}`}>
          {Object.entries(info.thresholds)
            .filter(([, value]) => value !== null)
            .map(([threshold, value]) => (
              <Fact key={threshold} term={name(threshold)}>
                {typeof value === "number" ? count(value) : value ? "yes" : "no"}
              </Fact>
            ))}
          <Fact term="Epsilon">{info.privacy.epsilon ?? "not used"}</Fact>
        </Facts>
        <Facts title="Made with">
          <Fact term="Clio">{info.clio_version}</Fact>
          <Fact term="Release">{info.number}</Fact>
          <Fact term="Analyst">{info.analyst}</Fact>
          <Fact term="Embedder">{info.embedder}</Fact>
          <Fact term="Seed">{info.seed}</Fact>
          <Fact term="Accounts known by">{BASIS[info.account_basis]}</Fact>
        </Facts>
      </div>
    </>
  );
}

const REASONS: Record<string, string> = {
  thresholds: "too few to show",
  wording: "in plainer words",
};

const level = (n: number | null) =>
  n === null ? "" : n < 0 ? ", whole corpus" : n === 0 ? ", leaves" : `, level ${n}`;

const BASIS = { ids: "account ids", none: "distinct texts", mixed: "ids or distinct texts" };

function Facts({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card">
      <h3>{title}</h3>
      <dl class="fact-list">{children}</dl>
    </div>
  );
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

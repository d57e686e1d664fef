import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type ReleaseResponse, type TableInfo, fetchTables, fileAddress } from "../../api";
import { Bars } from "../../components/Bars";
import { Loading, Notice } from "../../components/Notice";
import { Section, View } from "../../components/View";
import { count, counted, dayRange, name, thresholdWords } from "../../format";
import { useResource } from "../../resource";

const OUTCOMES: Record<string, string> = {
  assigned: "in a cluster",
  duplicate: "the same id and content was read before",
  skipped: "nothing a requester said, or outside what was asked for",
  refused: "the model would not answer",
  rejected: "the row could not be read",
  failed: "the model’s answers could not be used",
  capped: "beyond the most that one account may count",
  pending: "waits for company before a release may show it",
};

const LIMITS: Record<string, string> = {
  accounts: "Accounts a cluster, at least",
  conversations: "Conversations a cluster, at least",
  cell_accounts: "Accounts a cell, at least",
  cell_conversations: "Conversations a cell, at least",
  account_cap: "Conversations an account counts for, at most",
  p_percent: "Uncertainty about the largest account, in %, at least",
  publishable: "May be shown to others",
  round_to: "Counts rounded to",
  top1_share: "Share of a cluster from one account, at most",
  top2_share: "Share of a cluster from two accounts, at most",
  word_accounts: "Accounts that use a word shown, at least",
  sensitive_word_accounts: "Accounts that use a sensitive word shown, at least",
  window_accounts: "Accounts that share a sequence of words shown, at least",
};

const REASONS: Record<string, string> = {
  thresholds: "too few, or too telling beside others",
  wording: "shown, in plainer words",
};

const BASIS = { ids: "account ids", none: "distinct texts", mixed: "ids or distinct texts" };

/** How the release was made, what it does not show and why, how to cite and to download it. */
export function Method({ release }: { release: ReleaseResponse }) {
  const { info, withheld } = release;
  const rows = Object.values(info.outcomes).reduce((sum, n) => sum + n, 0);
  const api = fileAddress("openapi.json");
  const limits = Object.entries(info.thresholds).filter(([, value]) => value !== null);
  return (
    <View
      title="Method and privacy"
      lead={
        <>
          A model or a program reads each conversation and writes down a few facts. Similar ones are
          grouped, groups are described and grouped again. Only groups of at least{" "}
          {thresholdWords(info.thresholds)} are shown; nothing on these pages is about a single
          conversation.
        </>
      }
    >
      {info.notes.length > 0 && (
        <ul class="notes">
          {info.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <Section title="What became of each row" lead={`${counted(rows, "row")} read, one outcome each`}>
        <Bars
          describe="Rows by outcome"
          bars={Object.entries(info.outcomes)
            .sort(([, a], [, b]) => b - a)
            .map(([outcome, n]) => ({
              key: outcome,
              label: `${name(outcome)}: ${OUTCOMES[outcome] ?? ""}`.replace(/: $/, ""),
              share: rows > 0 ? n / rows : 0,
              count: n,
              muted: outcome !== "assigned",
            }))}
        />
      </Section>
      <Section
        title="What is not shown"
        lead="How much was withheld, never what. A cell is one row of a table of the release."
      >
        {withheld.length === 0 ? (
          <Notice kind="empty" title="Nothing was withheld" />
        ) : (
          <Table label="What is withheld" head={["table", "why", "level", "cells", "conversations"]}>
            {withheld.map((w, i) => (
              <tr key={i}>
                <th scope="row">
                  {name(w.table)}
                  {info.facets.length > 1 && `, ${name(w.facet).toLowerCase()}`}
                </th>
                <td class="wide">{REASONS[w.reason] ?? w.reason}</td>
                <td>{level(w.level)}</td>
                <td>{count(w.cells)}</td>
                <td>{w.conversations === null ? "–" : count(w.conversations)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Section title="Settings">
        <div class="cards">
          <Facts title={`Privacy preset ${info.preset}`}>
            {limits.map(([threshold, value]) => (
              <Fact key={threshold} term={LIMITS[threshold] ?? name(threshold)}>
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
            {info.facets.map((facet) => (
              <Fact key={facet.name} term={`Clusters of ${name(facet.name).toLowerCase()}`}>
                {facet.clusters.map(count).join(" / ")}
              </Fact>
            ))}
          </Facts>
        </div>
      </Section>
      <Section title="How to read the numbers">
        <ul class="notes">
          <li>
            A share is of all assigned conversations. Its 95 % interval is by account, as the
            conversations of one account resemble one another.
          </li>
          <li>Accounts are rounded down to a multiple of five, and do not add up.</li>
          <li>
            A change is shown as such only where the intervals of the first and the last third of
            the period do not overlap. Coarser periods take the release’s own as independent.
          </li>
          <li>
            A value counts as over- or under-represented only where its base rate lies outside the
            interval of its share in the cluster, each account counting once.
          </li>
        </ul>
      </Section>
      <Section title="How to cite">
        <Cite release={release} />
      </Section>
      <Section
        title="Download"
        lead={
          <>
            Each table as released, whole.
            {api && (
              <>
                {" "}
                The same data by{" "}
                <a class="inline" href={api}>
                  the API
                </a>
                .
              </>
            )}
          </>
        }
      >
        <Downloads />
      </Section>
    </View>
  );
}

const level = (n: number | null) =>
  n === null ? "all" : n < 0 ? "whole corpus" : n === 0 ? "0, the finest" : String(n);

interface TableProps {
  label: string;
  head: string[];
  children: ComponentChildren;
}

function Table({ label, head, children }: TableProps) {
  return (
    <div class="table-place" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((title, i) => (
              <th key={title} scope="col" class={i === 1 ? "wide" : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

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

function Cite({ release: { info } }: { release: ReleaseResponse }) {
  const [copied, setCopied] = useState(false);
  const accounts = info.totals.accounts > 0 && ` of at least ${count(info.totals.accounts)} accounts`;
  const text =
    `Clio ${info.clio_version}, release ${info.number}: ` +
    `${counted(info.totals.conversations, "conversation")}${accounts || ""}` +
    (info.period ? `, ${dayRange(info.period.first, info.period.last)}` : "") +
    `. Analyst ${info.analyst}, embedder ${info.embedder}, privacy preset ${info.preset} ` +
    `(at least ${thresholdWords(info.thresholds)} a cluster). Method after Tamkin et al., ` +
    "Clio: Privacy-Preserving Insights into Real-World AI Use, arXiv:2412.13678, 2024.";
  return (
    <div class="cite">
      <p>{text}</p>
      <button
        type="button"
        class="more"
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

function Downloads() {
  const tables = useResource("tables", fetchTables);
  if (tables.error) {
    return (
      <Notice kind="error" title="The tables could not be listed">
        {tables.error.message}
      </Notice>
    );
  }
  if (!tables.data) return <Loading lines={5} />;
  return (
    <Table label="Tables to download" head={["table", "what it holds", "rows", "file"]}>
      {tables.data.tables.map((table) => (
        <tr key={table.name}>
          <th scope="row">{name(table.name)}</th>
          <td class="wide">{table.description}</td>
          <td>{count(table.rows)}</td>
          <td>
            <Files table={table} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Files({ table }: { table: TableInfo }) {
  if (table.rows === 0) return <>empty</>;
  const files = (["csv", "parquet"] as const).flatMap((format) => {
    const href = fileAddress(`tables/${table.name}`, { format });
    return href === null ? [] : [{ href, format: format === "csv" ? "CSV" : "Parquet" }];
  });
  if (files.length === 0) return <>not in this copy</>;
  return (
    <>
      {files.map(({ href, format }) => (
        <a
          key={format}
          class="inline"
          href={href}
          aria-label={`${name(table.name)} as ${format}`}
          download
        >
          {format}
        </a>
      ))}
    </>
  );
}

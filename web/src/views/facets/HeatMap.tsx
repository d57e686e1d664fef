/** Clusters by the values of a facet: a table whose cells are coloured by over-representation. */

import { useState } from "preact/hooks";
import { type CrossCell, type CrossRow, type Crossing, fetchCrossing, fileAddress } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { count, counted, percent, percentInterval, times } from "../../format";
import { useResource } from "../../resource";
import { viewLink } from "../../route";
import { ordered, valueName } from "../../values";

const COLUMNS = 12;
const ROWS = 50;

interface Props {
  facet: string | null;
  dimension: string;
  level: number;
}

export function HeatMap({ facet, dimension, level }: Props) {
  const [all, setAll] = useState(false);
  const [offset, setOffset] = useState(0);
  /** Value whose conversations the rows are sorted by; null: all conversations. */
  const [sorted, setSorted] = useState<string | null>(null);
  const found = useResource(`cross ${facet} ${dimension} ${level} ${offset}`, (signal) =>
    fetchCrossing(dimension, facet, { level, offset, limit: ROWS }, signal),
  );
  if (found.error) {
    return (
      <Notice kind="error" title="The table could not be loaded">
        {found.error.message}
      </Notice>
    );
  }
  if (!found.data) return <Loading lines={8} />;
  const { values, total } = found.data;
  const clusters = ranked(found.data, sorted);
  const columns = chosenColumns(found.data, all);
  const csv = fileAddress(`dimensions/${encodeURIComponent(dimension)}`, {
    facet,
    level,
    limit: 1000,
    format: "csv",
  });
  return (
    <>
      <p class="quiet legend heat-legend">
        <span>
          less
          {[-3, -2, -1, 1, 2, 3].map((step) => (
            <i key={step} class="heat-key" data-step={step} aria-hidden="true" />
          ))}
          more frequent
        </span>
        <span>
          <i class="heat-key" aria-hidden="true" /> not surely different
        </span>
        <span>
          <i class="heat-key hatched" aria-hidden="true" /> withheld: too few
        </span>
      </p>
      <div
        class={found.loading ? "table-place loading" : "table-place"}
        tabIndex={0}
        role="region"
        aria-label="Clusters by value"
      >
        <table class="heat">
          <thead>
            <tr>
              <th scope="col">cluster</th>
              {columns.map((i) => (
                <ColumnHead
                  key={i}
                  name={valueName(dimension, values[i] ?? "")}
                  sorted={values[i] === sorted}
                  // Rows of other pages could be larger.
                  sort={total > ROWS ? null : () => setSorted(values[i] ?? null)}
                />
              ))}
            </tr>
            <tr class="heat-base">
              <th scope="row">Overall</th>
              {columns.map((i) => {
                const base = found.data?.baseline[i];
                return <td key={i}>{typeof base === "number" ? percent(base) : "not shown"}</td>;
              })}
            </tr>
          </thead>
          <tbody>
            {clusters.map((row) => (
              <tr key={row.cluster_id}>
                <th scope="row" dir="auto">
                  <a href={viewLink("explore", facet, { cluster: row.cluster_id })}>{row.title}</a>
                </th>
                {columns.map((i) => (
                  <Cell key={i} cell={row.cells[i] ?? null} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="actions">
        {values.length > COLUMNS && (
          <button type="button" onClick={() => setAll(!all)}>
            {all ? "Fewer columns" : `All ${counted(values.length, "column")}`}
          </button>
        )}
        {total > ROWS && (
          <>
            <button type="button" disabled={offset === 0} onClick={() => setOffset(offset - ROWS)}>
              Previous
            </button>
            <span class="quiet">
              {count(offset + 1)}–{count(Math.min(offset + ROWS, total))} of {count(total)}
            </span>
            <button
              type="button"
              disabled={offset + ROWS >= total}
              onClick={() => setOffset(offset + ROWS)}
            >
              Next
            </button>
          </>
        )}
        {csv && (
          <a href={csv} download>
            Save as CSV
          </a>
        )}
      </p>
    </>
  );
}

/** Which values are columns: the most frequent, in their natural order. */
function chosenColumns({ dimension, values }: Crossing, all: boolean): number[] {
  const first = values.slice(0, all ? values.length : COLUMNS);
  return ordered(
    dimension,
    first.map((value) => ({ value })),
  ).map(({ value }) => values.indexOf(value));
}

/** Rows by how many of their conversations have a value, the most first. */
function ranked({ clusters, values }: Crossing, value: string | null): CrossRow[] {
  const at = value === null ? -1 : values.indexOf(value);
  if (at < 0) return clusters;
  const count = (row: CrossRow) => row.cells[at]?.conversations ?? -1;
  return [...clusters].sort((a, b) => count(b) - count(a));
}

interface ColumnHeadProps {
  name: string;
  sorted: boolean;
  sort: (() => void) | null;
}

function ColumnHead({ name, sorted, sort }: ColumnHeadProps) {
  return (
    <th scope="col" dir="auto" aria-sort={sorted ? "descending" : undefined}>
      {sort ? (
        <button
          type="button"
          class="column-sort"
          onClick={sort}
          title={`Clusters with the most conversations of ${name} first`}
        >
          {name}
          {sorted && <span aria-hidden="true"> ▼</span>}
        </button>
      ) : (
        name
      )}
    </th>
  );
}

/** How strongly to colour: 1 from a tenth off, 2 from a half more, 3 from three times. */
function step({ ratio, sure }: CrossCell): number | undefined {
  if (!sure || ratio === null) return undefined;
  const size = Math.abs(Math.log(Math.max(ratio, 1e-3)));
  const strength = size >= Math.log(3) ? 3 : size >= Math.log(1.5) ? 2 : 1;
  return ratio > 1 ? strength : -strength;
}

function Cell({ cell }: { cell: CrossCell | null }) {
  if (!cell) {
    return (
      <td class="hatched" title="Withheld for privacy: too few to show">
        <span class="hidden">too few to show</span>
      </td>
    );
  }
  const [share, interval] = percentInterval(cell.share, cell.low, cell.high);
  return (
    <td
      data-step={step(cell)}
      title={`${share}, 95 % interval ${interval}, ${counted(cell.conversations, "conversation")}`}
    >
      <b>{cell.ratio === null ? "–" : times(cell.ratio)}</b>
      <span class="quiet">{share}</span>
    </td>
  );
}

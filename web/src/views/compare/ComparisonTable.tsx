import { useState } from "preact/hooks";
import type { CompareRow } from "../../api";
import { count, percentInterval, pointsInterval } from "../../format";
import { viewLink } from "../../route";

const ROWS = 50;

interface Props {
  rows: CompareRow[];
  names: [string, string];
  nameOf: (row: CompareRow) => string;
  facet: string | null;
}

/** All differences with their intervals, as they are ranked. */
export function ComparisonTable({ rows, names, nameOf, facet }: Props) {
  const [shown, setShown] = useState(ROWS);
  return (
    <>
      <div class="table-place" tabIndex={0} role="region" aria-label="Differences">
        <table>
          <thead>
            <tr>
              <th scope="col">{rows[0]?.dimension == null ? "cluster" : "value"}</th>
              <th scope="col" dir="auto">
                {names[0]}
              </th>
              <th scope="col" dir="auto">
                {names[1]}
              </th>
              <th scope="col">difference</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row) => (
              <tr key={`${row.dimension} ${row.cluster_id ?? row.title}`}>
                <th scope="row" class="wide" dir="auto">
                  {row.cluster_id ? (
                    <a href={viewLink("explore", facet, { cluster: row.cluster_id })}>
                      {nameOf(row)}
                    </a>
                  ) : (
                    nameOf(row)
                  )}
                </th>
                <Share value={row.first} low={row.first_low} high={row.first_high} />
                <Share value={row.second} low={row.second_low} high={row.second_high} />
                <Difference row={row} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > shown && (
        <p class="actions">
          <button type="button" onClick={() => setShown(shown + 4 * ROWS)}>
            Show more of {count(rows.length)}
          </button>
        </p>
      )}
    </>
  );
}

function Share({ value, low, high }: { value: number; low: number; high: number }) {
  const [share, interval] = percentInterval(value, low, high);
  return (
    <td>
      {share}
      <span class="quiet">{interval}</span>
    </td>
  );
}

function Difference({ row }: { row: CompareRow }) {
  const [difference, interval] = pointsInterval(row.difference, row.low, row.high);
  const tone = !row.sure ? undefined : row.difference > 0 ? "rise" : "fall";
  return (
    <td>
      <b class={tone}>{difference}</b>
      <span class="quiet">
        {interval}
        {!row.sure && ", not sure"}
      </span>
    </td>
  );
}

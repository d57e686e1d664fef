import type { Measure } from "../../api";
import { count, mean, name } from "../../format";

const MEANINGS: Record<string, string> = {
  stability:
    "How much of the cluster is found again from a random half of the texts: 1 all of it, under about 0.6 take it with care",
};

export function Measures({ measures, isRoot }: { measures: Measure[]; isRoot: boolean }) {
  return (
    <div class="table-place" tabIndex={0} role="region" aria-label="Measures">
      <table>
        <thead>
          <tr>
            <th scope="col">measure</th>
            <th scope="col">mean</th>
            <th scope="col">95 % interval</th>
            {!isRoot && <th scope="col">overall</th>}
            <th scope="col">conversations</th>
          </tr>
        </thead>
        <tbody>
          {measures.map((m) => (
            <tr key={m.measure}>
              <th scope="row" title={MEANINGS[m.measure]}>
                {name(m.measure)}
              </th>
              <td>{mean(m.mean)}</td>
              <td>{m.low < m.high ? `${mean(m.low)}–${mean(m.high)}` : "–"}</td>
              {!isRoot && <td>{m.baseline === null ? "–" : mean(m.baseline)}</td>}
              <td>{count(m.conversations)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

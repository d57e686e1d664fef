import type { Measure } from "../../api";
import { count, mean, name } from "../../format";

export function Measures({ measures, isRoot }: { measures: Measure[]; isRoot: boolean }) {
  return (
    <div class="table-place">
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
              <th scope="row">{name(m.measure)}</th>
              <td>{mean(m.mean)}</td>
              <td>
                {mean(m.low)}–{mean(m.high)}
              </td>
              {!isRoot && <td>{m.baseline === null ? "not shown" : mean(m.baseline)}</td>}
              <td>{count(m.conversations)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

import { useMemo } from "preact/hooks";
import { type TreeNode, fetchDimensions } from "../../api";
import { name } from "../../format";
import { useResource } from "../../resource";
import { GROWTH, SIZE } from "../../route";
import { ordered, valueName } from "../../values";
import { measuresOf } from "./hierarchy";
import { shareKey } from "./quantity";

const VALUES = 12;

interface Props {
  label: string;
  nodes: TreeNode[];
  facet: string | null;
  dated: boolean;
  sort: string;
  choose: (sort: string) => void;
}

/** What to sort or to colour by. */
export function QuantityChoice({ label, nodes, facet, dated, sort, choose }: Props) {
  const found = useResource(`dimensions ${facet}`, (signal) => fetchDimensions(facet, signal));
  const measures = useMemo(() => measuresOf(nodes), [nodes]);
  return (
    <label class="choice">
      {label}
      <select value={sort} onChange={(event) => choose(event.currentTarget.value)}>
        <option value={SIZE}>{label === "Colour by" ? "Broadest cluster" : "Size"}</option>
        {dated && <option value={GROWTH}>Growth</option>}
        {measures.map((measure) => (
          <option key={measure} value={measure}>
            {name(measure)}
          </option>
        ))}
        {found.data?.dimensions.map(({ dimension, values }) => (
          <optgroup key={dimension} label={`Share of ${name(dimension).toLowerCase()}`}>
            {ordered(dimension, values.slice(0, VALUES)).map(({ value }) => (
              <option key={value} value={shareKey(dimension, value)}>
                {valueName(dimension, value)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

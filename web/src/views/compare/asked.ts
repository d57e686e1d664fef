/** What is compared when the address leaves something open. */

import { type Dimensions, type ReleaseInfo, type TreeNode, ROOT } from "../../api";
import type { Route } from "../../route";

export interface Asked {
  first: string;
  second: string;
  dimension: string | null;
  parameters: Record<string, string | number | null>;
}

const DAY = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/;

/** Two days, "2025-01-01..2025-01-31". */
export function daysOf(text: string | null): [string, string] | null {
  const found = DAY.exec(text ?? "");
  return found?.[1] && found[2] ? [found[1], found[2]] : null;
}

export function askedOf(
  route: Route,
  info: ReleaseInfo,
  nodes: TreeNode[],
  { dimensions }: Dimensions,
): Asked | null {
  const { level } = route;
  if (route.slices === "periods") {
    if (!info.period || info.granularity === null) return null;
    const [early, late] = thirds(info.period);
    const one = daysOf(route.first) ?? early;
    const other = daysOf(route.second) ?? late;
    return {
      first: one.join(".."),
      second: other.join(".."),
      dimension: null,
      parameters: {
        first_from: one[0],
        first_to: one[1],
        second_from: other[0],
        second_to: other[1],
        level,
      },
    };
  }
  if (route.slices === "values") {
    const several = dimensions.filter(({ values }) => values.length > 1);
    const chosen = several.find((d) => d.dimension === route.dimension) ?? several[0];
    if (!chosen) return null;
    const { dimension } = chosen;
    const known = chosen.values.map(({ value }) => value);
    const first = known.find((value) => value === route.first) ?? known[0];
    const second =
      known.find((value) => value === route.second) ?? known.find((value) => value !== first);
    if (first === undefined || second === undefined) return null;
    return { first, second, dimension, parameters: { dimension, first, second, level } };
  }
  const tops = nodes.filter((node) => node.parent === ROOT).map((node) => node.id);
  const known = (id: string | null) => (nodes.some((node) => node.id === id) ? id : null);
  const first = known(route.first) ?? tops[0];
  const second = known(route.second) ?? tops.find((id) => id !== first);
  if (!first || !second) return null;
  return { first, second, dimension: null, parameters: { first, second } };
}

/** First and last third of a period. */
function thirds({ first, last }: { first: string; last: string }): [string, string][] & {
  0: [string, string];
  1: [string, string];
} {
  const [from, to] = [Date.parse(first), Date.parse(last)];
  const iso = (time: number) => new Date(time).toISOString().slice(0, 10);
  const third = (to - from) / 3;
  return [
    [iso(from), iso(from + third)],
    [iso(to - third), iso(to)],
  ];
}

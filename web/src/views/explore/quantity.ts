/** What the tree is sorted by and the map is coloured by: size, growth, a measure, or a share. */

import { type Shares, type TreeNode, ROOT } from "../../api";
import { mean, name, percent, points } from "../../format";
import { GROWTH, SIZE } from "../../route";
import { valueName } from "../../values";

export interface Quantity {
  name: string;
  /** What is sorted by, the largest first; null: there is none. */
  order: (node: TreeNode) => number | null;
  /** As people read it; what is not sure is not told as if it were. */
  text: (node: TreeNode) => string;
  /** Name of a colour of style/base.css, without the dashes. */
  colour: (node: TreeNode) => string;
  legend: { colour: string; label: string }[];
}

export const UNSURE = "map-unsure";
export const NONE = "map-none";
const HUES = 8;
/** So many of the broadest clusters are named beside their colours. */
const NAMED = 16;
const STEPS = 4;

const SHARE = "share:";

export const shareKey = (dimension: string, value: string) =>
  `${SHARE}${encodeURIComponent(dimension)}:${value}`;

/** The dimension and value of such a key; null for all others. */
export function shareOf(sort: string): { dimension: string; value: string } | null {
  if (!sort.startsWith(SHARE)) return null;
  const rest = sort.slice(SHARE.length);
  const at = rest.indexOf(":");
  if (at < 0) return null;
  try {
    return { dimension: decodeURIComponent(rest.slice(0, at)), value: rest.slice(at + 1) };
  } catch {
    return null;
  }
}

/** -3 to 3 by how many times as much: from a tenth off, a half more, three times. */
function step(ratio: number): string {
  const size = Math.abs(Math.log(Math.max(ratio, 1e-3)));
  const strength = size >= Math.log(3) ? 3 : size >= Math.log(1.5) ? 2 : 1;
  return `map-${ratio > 1 ? "more" : "less"}-${strength}`;
}

const RATIOS = [
  { colour: "map-less-3", label: "a third or less" },
  { colour: "map-less-2", label: "less" },
  { colour: "map-less-1", label: "a little less" },
  { colour: "map-more-1", label: "a little more" },
  { colour: "map-more-2", label: "more" },
  { colour: "map-more-3", label: "three times or more" },
];

export function quantity(sort: string, nodes: TreeNode[], shares: Shares | null): Quantity {
  if (sort === GROWTH) return growth;
  const share = shareOf(sort);
  if (share) return shareQuantity(share.dimension, share.value, shares);
  return sort === SIZE ? size(nodes) : measure(sort, nodes);
}

/** Sorted by size, coloured by the broadest cluster that each belongs to. */
function size(nodes: TreeNode[]): Quantity {
  const tops = nodes.filter((node) => node.parent === ROOT);
  const hues = new Map(tops.map((node, i) => [node.id, `series-${(i % HUES) + 1}`]));
  for (const node of nodes) {
    if (!hues.has(node.id)) hues.set(node.id, hues.get(node.parent ?? "") ?? NONE);
  }
  return {
    name: "Size",
    order: (node) => node.conversations,
    text: (node) => percent(node.share),
    colour: (node) => hues.get(node.id) ?? NONE,
    legend: tops
      .slice(0, NAMED)
      .map((node) => ({ colour: hues.get(node.id) ?? NONE, label: node.title })),
  };
}

const growth: Quantity = {
  name: "Growth",
  order: ({ change }) => (change ? change.last - change.first : null),
  text: ({ change }) =>
    !change ? "too few" : change.sure ? points(change.last - change.first) : "not sure",
  colour: ({ change }) =>
    !change ? NONE : change.sure ? step(change.last / Math.max(change.first, 1e-9)) : UNSURE,
  legend: [
    ...RATIOS,
    { colour: UNSURE, label: "not surely changed" },
    { colour: NONE, label: "too few to tell" },
  ],
};

function measure(sort: string, nodes: TreeNode[]): Quantity {
  const found = nodes.flatMap((node) => node.measures[sort] ?? []).sort((a, b) => a - b);
  const edges = Array.from(
    { length: STEPS - 1 },
    (_, i) => found[Math.floor(((i + 1) * found.length) / STEPS)] ?? 0,
  );
  const bin = (value: number) => `map-step-${edges.filter((edge) => value >= edge).length + 1}`;
  const ends = [found[0] ?? 0, ...edges, found.at(-1) ?? 0];
  const value = (node: TreeNode) => node.measures[sort] ?? null;
  return {
    name: name(sort),
    order: value,
    text: (node) => {
      const known = value(node);
      return known === null ? "–" : mean(known);
    },
    colour: (node) => {
      const known = value(node);
      return known === null ? NONE : bin(known);
    },
    legend: [
      ...Array.from({ length: STEPS }, (_, i) => ({
        colour: `map-step-${i + 1}`,
        label: `${mean(ends[i] ?? 0)} to ${mean(ends[i + 1] ?? 0)}`,
      })),
      { colour: NONE, label: "not shown" },
    ],
  };
}

function shareQuantity(dimension: string, value: string, shares: Shares | null): Quantity {
  const known = new Map(
    shares?.id.map((id, i) => [
      id,
      { share: shares.share[i] ?? 0, low: shares.low[i] ?? 0, high: shares.high[i] ?? 1 },
    ]),
  );
  const base = shares?.baseline ?? 0;
  const called = `${name(dimension)}: ${valueName(dimension, value)}`;
  return {
    name: `Share of ${called}`,
    order: (node) => known.get(node.id)?.share ?? null,
    text: (node) => {
      const cell = known.get(node.id);
      return cell ? percent(cell.share) : "too few";
    },
    colour: (node) => {
      const cell = known.get(node.id);
      if (!cell || base === 0) return NONE;
      return base < cell.low || base > cell.high ? step(cell.share / base) : UNSURE;
    },
    legend: [
      ...RATIOS,
      { colour: UNSURE, label: `not surely other than overall, ${percent(base)}` },
      { colour: NONE, label: "withheld: too few" },
    ],
  };
}


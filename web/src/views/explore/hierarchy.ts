import { type TreeNode, ROOT } from "../../api";
import type { Quantity } from "./quantity";

export interface Hierarchy {
  byId: ReadonlyMap<string, TreeNode>;
  children: ReadonlyMap<string, TreeNode[]>;
}

export interface Row {
  node: TreeNode;
  /** 1 for the root, as `aria-level` counts. */
  depth: number;
  position: number;
  siblings: number;
  expanded: boolean | null;
}

/** The tree with siblings sorted by a quantity, the largest first; those without it come last. */
export function buildTree(nodes: TreeNode[], { order }: Pick<Quantity, "order">): Hierarchy {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<string, TreeNode[]>();
  for (const node of nodes) {
    if (node.parent === null) continue;
    const siblings = children.get(node.parent);
    if (siblings) siblings.push(node);
    else children.set(node.parent, [node]);
  }
  for (const siblings of children.values()) siblings.sort(by(order));
  return { byId, children };
}

/** Compares nodes by a quantity, and where that does not tell by size. */
export const by = (order: Quantity["order"]) => (a: TreeNode, b: TreeNode) => {
  const [one, other] = [order(a) ?? -Infinity, order(b) ?? -Infinity];
  return one === other ? b.conversations - a.conversations : other - one;
};

/** Measures by which the tree can be sorted. */
export const measuresOf = (nodes: TreeNode[]): string[] =>
  [...new Set(nodes.flatMap((node) => Object.keys(node.measures)))].sort();

/** Ids from the root to a cluster's parent. */
export function ancestors({ byId }: Hierarchy, id: string): string[] {
  const way: string[] = [];
  for (let at = byId.get(id)?.parent; at; at = byId.get(at)?.parent) way.unshift(at);
  return way;
}

/** The rows that are visible when these clusters are expanded, from top to bottom. */
export function visibleRows({ byId, children }: Hierarchy, expanded: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const add = (node: TreeNode, depth: number, position: number, siblings: number) => {
    const below = children.get(node.id);
    const open = below ? expanded.has(node.id) : null;
    rows.push({ node, depth, position, siblings, expanded: open });
    if (open && below) below.forEach((child, i) => add(child, depth + 1, i + 1, below.length));
  };
  const root = byId.get(ROOT);
  if (root) add(root, 1, 1, 1);
  return rows;
}

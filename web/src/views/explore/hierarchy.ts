import { type TreeNode, ROOT } from "../../api";
import { GROWTH, SIZE } from "../../route";

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

/** What a node is sorted by, the largest first; those without it come last. */
function key(node: TreeNode, sort: string): number {
  if (sort === GROWTH) return node.change ? node.change.last - node.change.first : -Infinity;
  return sort === SIZE ? node.conversations : (node.measures[sort] ?? -Infinity);
}

/** The tree with siblings sorted by their size, their growth or a measure. */
export function buildTree(nodes: TreeNode[], sort: string): Hierarchy {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<string, TreeNode[]>();
  for (const node of nodes) {
    if (node.parent === null) continue;
    const siblings = children.get(node.parent);
    if (siblings) siblings.push(node);
    else children.set(node.parent, [node]);
  }
  if (sort !== SIZE) {
    for (const siblings of children.values()) {
      siblings.sort((a, b) => {
        const [one, other] = [key(a, sort), key(b, sort)];
        return one === other ? b.conversations - a.conversations : other - one;
      });
    }
  }
  return { byId, children };
}

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

import { ROOT, type TreeNode } from "../../api";

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

export function buildTree(nodes: TreeNode[]): Hierarchy {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<string, TreeNode[]>();
  for (const node of nodes) {
    if (node.parent === null) continue;
    const siblings = children.get(node.parent);
    if (siblings) siblings.push(node);
    else children.set(node.parent, [node]);
  }
  return { byId, children };
}

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

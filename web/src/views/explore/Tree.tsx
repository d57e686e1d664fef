/** The hierarchy as an indented tree that follows the ARIA pattern for tree views. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type TreeNode, ROOT } from "../../api";
import { count } from "../../format";
import { type Hierarchy, type Row, ancestors, visibleRows } from "./hierarchy";
import type { Quantity } from "./quantity";

/** Height of a row in pixels, as in style/explore.css: only rows in sight are in the page. */
const ROW = 54;
const BEYOND = 8;

interface Props {
  hierarchy: Hierarchy;
  quantity: Quantity;
  selected: string;
  select: (id: string) => void;
}

export function Tree({ hierarchy, quantity, selected, select }: Props) {
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set([ROOT]));
  const [focused, setFocused] = useState(selected);
  const [{ top, height }, setSight] = useState({ top: 0, height: 900 });
  const list = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const rows = useMemo(() => visibleRows(hierarchy, expanded), [hierarchy, expanded]);
  const scale = useMemo(
    () => Math.max(...(hierarchy.children.get(ROOT) ?? []).map((n) => n.share), 1e-9),
    [hierarchy],
  );

  useEffect(() => {
    const box = list.current;
    if (!box) return;
    const look = () => setSight({ top: box.scrollTop, height: box.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(box);
    box.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", look);
    };
  }, []);

  useEffect(() => {
    if (!hierarchy.byId.has(selected)) return;
    setExpanded((before) => {
      const way = ancestors(hierarchy, selected);
      return way.every((id) => before.has(id)) ? before : new Set([...before, ...way]);
    });
    setFocused(selected);
  }, [hierarchy, selected]);

  const reveal = (index: number, place: number) => {
    const box = list.current;
    if (!box || index < 0 || box.clientHeight === 0) return;
    const above = index * ROW - box.scrollTop;
    if (above < 0 || above + ROW > box.clientHeight) {
      box.scrollTop = index * ROW - place * (box.clientHeight - ROW);
    }
  };

  useEffect(() => {
    reveal(rows.findIndex((row) => row.node.id === selected), 1 / 3);
  }, [selected, hierarchy, expanded.has(hierarchy.byId.get(selected)?.parent ?? "")]);

  // Where a hidden branch held the focus, the tree is entered at its root.
  const at = Math.max(0, rows.findIndex((row) => row.node.id === focused));
  const current = rows[at]?.node.id ?? ROOT;

  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    list.current
      ?.querySelector<HTMLElement>(`#${CSS.escape(domId(current))}`)
      ?.focus({ preventScroll: true });
  });

  const toggle = (id: string, open: boolean) =>
    setExpanded((before) => {
      const after = new Set(before);
      if (open) after.add(id);
      else after.delete(id);
      return after;
    });

  const focus = (index: number) => {
    const row = rows[index];
    if (!row) return;
    reveal(index, index > at ? 1 : 0);
    moved.current = true;
    setFocused(row.node.id);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows[at];
    if (!row) return;
    const { id, parent } = row.node;
    switch (event.key) {
      case "ArrowDown":
        focus(at + 1);
        break;
      case "ArrowUp":
        focus(at - 1);
        break;
      case "ArrowRight":
        if (row.expanded === false) toggle(id, true);
        else if (row.expanded) focus(at + 1);
        break;
      case "ArrowLeft":
        if (row.expanded) toggle(id, false);
        else focus(rows.findIndex((r) => r.node.id === parent));
        break;
      case "Home":
        focus(0);
        break;
      case "End":
        focus(rows.length - 1);
        break;
      case "*":
        // All siblings open, as the pattern for trees has it.
        setExpanded(
          (before) =>
            new Set([
              ...before,
              ...(hierarchy.children.get(parent ?? "") ?? [row.node]).map((n) => n.id),
            ]),
        );
        break;
      case "Enter":
      case " ":
        select(id);
        break;
      default: {
        if (event.key.length !== 1) return;
        // A letter goes to the next title that begins with it.
        const letter = event.key.toLowerCase();
        const next = [...rows.slice(at + 1), ...rows.slice(0, at)];
        const found = next.find((r) => r.node.title.toLowerCase().startsWith(letter));
        if (found) focus(rows.indexOf(found));
      }
    }
    event.preventDefault();
  };

  const from = Math.max(0, Math.floor(top / ROW) - BEYOND);
  const to = Math.min(rows.length, Math.ceil((top + height) / ROW) + BEYOND);
  const inSight = rows.slice(from, to).map((row, i) => ({ row, index: from + i }));
  // The row with the focus stays in the page, lest the focus be lost by scrolling.
  const held = rows[at];
  if (held && (at < from || at >= to)) inSight.push({ row: held, index: at });

  return (
    <div class="tree" ref={list}>
      <div
        role="tree"
        aria-label="Hierarchy of clusters"
        style={{ height: `${rows.length * ROW}px` }}
        onKeyDown={onKeyDown}
      >
        {inSight.map(({ row, index }) => (
          <Item
            key={row.node.id}
            row={row}
            index={index}
            quantity={quantity}
            scale={scale}
            selected={row.node.id === selected}
            entered={row.node.id === current}
            select={select}
            toggle={toggle}
            enter={setFocused}
          />
        ))}
      </div>
    </div>
  );
}

interface ItemProps {
  row: Row;
  index: number;
  quantity: Quantity;
  scale: number;
  selected: boolean;
  /** Whether Tab leads here. */
  entered: boolean;
  select: (id: string) => void;
  toggle: (id: string, open: boolean) => void;
  enter: (id: string) => void;
}

function Item({ row, index, quantity, scale, selected, entered, select, toggle, enter }: ItemProps) {
  const { node, depth, position, siblings, expanded } = row;
  return (
    <div
      id={domId(node.id)}
      class="tree-row"
      role="treeitem"
      aria-level={depth}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={expanded ?? undefined}
      aria-selected={selected}
      tabIndex={entered ? 0 : -1}
      style={{ top: `${index * ROW}px`, paddingInlineStart: `${(depth - 1) * 1.1 + 0.25}rem` }}
      onFocus={() => enter(node.id)}
      onClick={() => select(node.id)}
    >
      <span
        class={expanded === null ? "twist leaf" : expanded ? "twist open" : "twist"}
        aria-hidden="true"
        onClick={(event) => {
          if (expanded === null) return;
          event.stopPropagation();
          toggle(node.id, !expanded);
        }}
      />
      <span class="tree-title" dir="auto" title={node.title}>
        {node.title}
      </span>
      <Value node={node} quantity={quantity} />
      {node.id !== ROOT && (
        <span class="tree-track" aria-hidden="true">
          <span style={{ width: `${(100 * node.share) / scale}%` }} />
        </span>
      )}
    </div>
  );
}

/** What the tree is sorted by; what is surely more or less is coloured. */
function Value({ node, quantity }: { node: TreeNode; quantity: Quantity }) {
  if (node.id === ROOT) return <span class="tree-share">{count(node.conversations)}</span>;
  const colour = quantity.colour(node);
  const tone = colour.startsWith("map-more") ? " rise" : colour.startsWith("map-less") ? " fall" : "";
  return <span class={`tree-share${tone}`}>{quantity.text(node)}</span>;
}

const domId = (id: string) => `node-${id}`;

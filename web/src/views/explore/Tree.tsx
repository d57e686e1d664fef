/** The hierarchy as an indented tree that follows the ARIA pattern for tree views. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ROOT } from "../../api";
import { count, percent } from "../../format";
import { type Hierarchy, type Row, ancestors, visibleRows } from "./hierarchy";

interface Props {
  hierarchy: Hierarchy;
  selected: string;
  select: (id: string) => void;
}

export function Tree({ hierarchy, selected, select }: Props) {
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set([ROOT]));
  const [focused, setFocused] = useState(selected);
  const list = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => visibleRows(hierarchy, expanded), [hierarchy, expanded]);
  const scale = Math.max(...(hierarchy.children.get(ROOT) ?? []).map((n) => n.share), 1e-9);

  useEffect(() => {
    if (!hierarchy.byId.has(selected)) return;
    setExpanded((before) => new Set([...before, ...ancestors(hierarchy, selected)]));
    setFocused(selected);
  }, [hierarchy, selected]);

  useEffect(() => {
    const box = list.current;
    const row = box?.querySelector<HTMLElement>("[aria-selected=true]");
    if (!box || !row) return;
    const above = row.offsetTop - box.scrollTop;
    if (above < 0 || above + row.offsetHeight > box.clientHeight) {
      box.scrollTop = row.offsetTop - box.clientHeight / 3;
    }
  }, [selected, expanded]);

  const toggle = (id: string, open: boolean) =>
    setExpanded((before) => {
      const after = new Set(before);
      if (open) after.add(id);
      else after.delete(id);
      return after;
    });

  const focus = (row: Row | undefined) => {
    if (!row) return;
    setFocused(row.node.id);
    list.current?.querySelector<HTMLElement>(`#${CSS.escape(domId(row.node.id))}`)?.focus();
  };

  // Where a hidden branch held the focus, the tree is entered at its root.
  const current = rows.some((row) => row.node.id === focused) ? focused : ROOT;

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = rows.findIndex((row) => row.node.id === current);
    const row = rows[index];
    if (!row) return;
    const { id, parent } = row.node;
    switch (event.key) {
      case "ArrowDown":
        focus(rows[index + 1]);
        break;
      case "ArrowUp":
        focus(rows[index - 1]);
        break;
      case "ArrowRight":
        if (row.expanded === false) toggle(id, true);
        else if (row.expanded) focus(rows[index + 1]);
        break;
      case "ArrowLeft":
        if (row.expanded) toggle(id, false);
        else focus(rows.find((r) => r.node.id === parent));
        break;
      case "Home":
        focus(rows[0]);
        break;
      case "End":
        focus(rows.at(-1));
        break;
      case "Enter":
      case " ":
        select(id);
        break;
      default: {
        if (event.key.length !== 1) return;
        // A letter goes to the next title that begins with it.
        const letter = event.key.toLowerCase();
        const next = [...rows.slice(index + 1), ...rows.slice(0, index)];
        focus(next.find((r) => r.node.title.toLowerCase().startsWith(letter)));
      }
    }
    event.preventDefault();
  };

  return (
    <div
      class="tree"
      role="tree"
      aria-label="Hierarchy of clusters"
      ref={list}
      onKeyDown={onKeyDown}
    >
      {rows.map(({ node, depth, position, siblings, expanded: open }) => (
        <div
          key={node.id}
          id={domId(node.id)}
          class="tree-row"
          role="treeitem"
          aria-level={depth}
          aria-posinset={position}
          aria-setsize={siblings}
          aria-expanded={open ?? undefined}
          aria-selected={node.id === selected}
          tabIndex={node.id === current ? 0 : -1}
          style={{ paddingInlineStart: `${(depth - 1) * 1.1 + 0.25}rem` }}
          onFocus={() => setFocused(node.id)}
          onClick={() => select(node.id)}
        >
          <span
            class={open === null ? "twist leaf" : open ? "twist open" : "twist"}
            aria-hidden="true"
            onClick={(event) => {
              if (open === null) return;
              event.stopPropagation();
              toggle(node.id, !open);
            }}
          />
          <span class="tree-title" dir="auto" title={node.title}>
            {node.title}
          </span>
          <span class="tree-share">
            {node.id === ROOT ? count(node.conversations) : percent(node.share)}
          </span>
          {node.id !== ROOT && (
            <span class="tree-track" aria-hidden="true">
              <span style={{ width: `${(100 * node.share) / scale}%` }} />
            </span>
          )}
        </div>
      ))}
    </div>
  );
}

const domId = (id: string) => `node-${id}`;

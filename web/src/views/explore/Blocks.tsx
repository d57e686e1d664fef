/** The hierarchy as blocks, each as high as its cluster is large: parents left of their parts. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type TreeNode, ROOT } from "../../api";
import { count, counted, percent } from "../../format";
import { formatRoute } from "../../route";
import { sourceLine } from "../../source";
import { Picture } from "../../components/Picture";
import type { ShownProps } from "./Explore";
import { Legend } from "./Legend";
import { ancestors } from "./hierarchy";

const COLUMNS = 3;
const HEAD = 30;
const GAP = 2;
/** Blocks lower than this are drawn as one. */
const LOWEST = 3;
const LINE = 15;
/** Narrower blocks bear their titles without the share. */
const ROOM = 120;
/** Widths of the columns; the broadest cluster needs least room. */
const WIDTHS = [0.2, 0.38, 0.42];

interface Block {
  key: string;
  node: TreeNode | null;
  /** Conversations in groups that are too few to show, or in blocks that are too low to draw. */
  rest: number;
  small: number;
  column: number;
  y: number;
  height: number;
}

export function Blocks({ hierarchy, nodes, quantity, route, release }: ShownProps) {
  const place = useRef<HTMLDivElement>(null);
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const look = () => setSize({ width: box.clientWidth, height: box.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const selected = hierarchy.byId.get(route.cluster);
  // A leaf is shown within its parent.
  const within =
    selected && hierarchy.children.has(selected.id) ? selected.id : (selected?.parent ?? ROOT);
  const blocks = useMemo(
    () => (height > 0 ? layOut(hierarchy, within, height - HEAD) : []),
    [hierarchy, within, height],
  );
  const top = hierarchy.byId.get(within);
  const way = [...ancestors(hierarchy, within), within].map((id) => hierarchy.byId.get(id));
  const room = Math.max(0, width - GAP * (COLUMNS - 1));
  const columns = WIDTHS.map((part, i) => ({
    x: WIDTHS.slice(0, i).reduce((sum, before) => sum + before * room + GAP, 0),
    width: part * room,
  }));
  const shapeOf = (block: Block): Shape => ({
    x: columns[block.column]?.x ?? 0,
    y: HEAD + block.y,
    width: columns[block.column]?.width ?? 0,
    height: Math.max(1, block.height - 1),
  });
  const title = top?.id === ROOT ? "All conversations" : (top?.title ?? "");
  return (
    <>
      <nav class="path" aria-label="Path of blocks">
        <ol>
          {way.map(
            (node) =>
              node && (
                <li key={node.id}>
                  <a href={formatRoute({ ...route, cluster: node.id })} dir="auto">
                    {node.id === ROOT ? "All conversations" : node.title}
                  </a>
                </li>
              ),
          )}
        </ol>
      </nav>
      <div class="blocks" ref={place}>
        {width > 0 && (
          <svg width={width} height={height} role="group" aria-label={`Blocks of ${title}`}>
            <g font-size="12" fill="var(--muted)">
              {blocks.length > 0 &&
                ["Selected", "Parts", "Parts of these"].map((text, i) => (
                  <text key={text} x={(columns[i]?.x ?? 0) + 2} y={18}>
                    {text}
                  </text>
                ))}
            </g>
            {blocks.map((block) => {
              const shape = shapeOf(block);
              if (!block.node) return <Rest key={block.key} block={block} shape={shape} />;
              const { node } = block;
              return (
                <a
                  key={block.key}
                  href={formatRoute({ ...route, cluster: node.id })}
                  aria-current={node.id === route.cluster ? "true" : undefined}
                  aria-label={`${node.title}, ${percent(node.share)}, ${quantity.name} ${quantity.text(node)}`}
                >
                  <title>
                    {`${node.title}\n${percent(node.share)} of conversations, ${counted(node.conversations, "conversation")}\n${quantity.name}: ${quantity.text(node)}`}
                  </title>
                  <rect
                    {...shape}
                    rx={3}
                    fill="var(--surface)"
                    stroke={node.id === route.cluster ? "var(--text)" : "var(--line)"}
                    stroke-width={node.id === route.cluster ? 2 : 1}
                  />
                  <rect {...shape} width={5} rx={2} fill={`var(--${quantity.colour(node)})`} />
                </a>
              );
            })}
            {/* Beside the links, whose names say more than there is room for. */}
            <g aria-hidden="true" class="block-labels">
              {blocks.map(
                (block) =>
                  block.node && (
                    <Label key={block.key} node={block.node} shape={shapeOf(block)} />
                  ),
              )}
            </g>
          </svg>
        )}
      </div>
      <Legend quantity={quantity} />
      <Picture
        name="clio-blocks"
        picture={() => place.current?.querySelector("svg") ?? null}
        caption={{
          title: `${title}: ${count(nodes.length - 1)} clusters, coloured by ${quantity.name.toLowerCase()}`,
          source: sourceLine(release.info),
          legend: quantity.legend.map(({ colour, label }) => ({ label, colour: `var(--${colour})` })),
        }}
      />
    </>
  );
}

interface Shape {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A size of text that fits into a block; 0: none does. */
const textSize = ({ height }: Shape) => (height >= 17 ? 12.5 : height >= 11 ? 10.5 : 0);

function Label({ node, shape }: { node: TreeNode; shape: Shape }) {
  const size = textSize(shape);
  if (size === 0) return null;
  const lines = Math.max(1, Math.floor((shape.height - 3) / LINE));
  const told = shape.width >= ROOM;
  const room = shape.width - (told ? 64 : 18);
  const text = wrapped(node.title, Math.floor(room / (0.53 * size)), lines);
  const first = shape.y + Math.min(16, shape.height / 2 + 0.34 * size);
  return (
    <g font-size={size} fill="var(--text)">
      {text.map((line, i) => (
        <text key={i} x={shape.x + 11} y={first + i * LINE}>
          {line}
        </text>
      ))}
      {told && (
        <text
          x={shape.x + shape.width - 6}
          y={first}
          text-anchor="end"
          fill="var(--muted)"
          font-size={size - 1}
        >
          {percent(node.share)}
        </text>
      )}
    </g>
  );
}

function Rest({ block, shape }: { block: Block; shape: Shape }) {
  const words =
    block.small > 0
      ? `${counted(block.small, "smaller cluster")}, ${counted(block.rest, "conversation")}`
      : `Other (not shown): ${counted(block.rest, "conversation")} in groups too few to show`;
  const size = textSize(shape);
  return (
    <g role="img" aria-label={words}>
      <title>{words}</title>
      <rect
        {...shape}
        rx={3}
        fill={block.small > 0 ? "var(--line)" : "var(--background)"}
        stroke="var(--other)"
        stroke-dasharray={block.small > 0 ? undefined : "3 3"}
      />
      {size > 0 && (
        <text
          x={shape.x + 11}
          y={shape.y + Math.min(16, shape.height / 2 + 0.34 * size)}
          font-size={size}
          fill="var(--muted)"
        >
          {wrapped(words, Math.floor((shape.width - 16) / (0.53 * size)), 1)[0]}
        </text>
      )}
    </g>
  );
}

function layOut({ byId, children }: ShownProps["hierarchy"], within: string, height: number) {
  const blocks: Block[] = [];
  const add = (node: TreeNode, column: number, y: number, high: number) => {
    blocks.push({ key: node.id, node, rest: 0, small: 0, column, y, height: high });
    const below = children.get(node.id);
    if (!below || column + 1 >= COLUMNS) return;
    const scale = high / Math.max(node.conversations, 1);
    let at = y;
    let shown = 0;
    let [small, smallCount] = [0, 0];
    for (const child of below) {
      shown += child.conversations;
      const tall = child.conversations * scale;
      if (tall < LOWEST) {
        small += child.conversations;
        smallCount += 1;
        continue;
      }
      add(child, column + 1, at, tall);
      at += tall;
    }
    for (const [rest, many] of [
      [small, smallCount],
      [node.conversations - shown, 0],
    ] as const) {
      const tall = rest * scale;
      if (tall >= 1) {
        const key = `${node.id} rest ${many > 0}`;
        blocks.push({ key, node: null, rest, small: many, column: column + 1, y: at, height: tall });
      }
      at += tall;
    }
  };
  const top = byId.get(within);
  if (top) add(top, 0, 0, height);
  return blocks;
}

/** At most so many lines of so many letters, the last cut where there is more. */
export function wrapped(text: string, room: number, most: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= room || line === "") line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  const kept = lines.slice(0, most);
  return kept.map((one, i) =>
    one.length > room || (i === most - 1 && lines.length > most)
      ? `${one.slice(0, Math.max(1, room - 1)).trimEnd()}…`
      : one,
  );
}

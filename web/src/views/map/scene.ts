/** What is drawn of the map at a magnification: never more than it takes. */

import type { MapPlaces, TreeNode } from "../../api";
import { wrapped } from "../explore/Blocks";
import { NONE } from "../explore/quantity";

/** So many marks are drawn at once; where there would be more, their parents are drawn instead. */
export const MOST_MARKS = 2000;
const MOST_LABELS = 60;
/** Labels of a level appear once so few of it are in sight. */
const FEW = 90;
const LETTERS = 22;
const LINES = 2;
/** Share of the picture that marks cover when all of the map is seen. */
const COVERED = 0.07;
const [SMALLEST, LARGEST] = [2.2, 46];

export interface Place {
  node: TreeNode;
  x: number;
  y: number;
}

export interface Atlas {
  /** By level, the finest first; each level the largest first. */
  levels: Place[][];
  byId: ReadonlyMap<string, Place>;
  grid: number;
  cells: MapPlaces["cells"];
}

/** Where the map lies in the picture: a place (x, y) is drawn at left + x · scale, top + y · scale. */
export interface Frame {
  width: number;
  height: number;
  left: number;
  top: number;
  scale: number;
  /** How many times as large as when all of it is seen. */
  zoom: number;
}

export interface Mark {
  place: Place;
  x: number;
  y: number;
  r: number;
  colour: string;
}

export interface Label {
  lines: string[];
  x: number;
  /** Of the first line's baseline. */
  y: number;
  size: number;
  bold: boolean;
}

export interface Scene {
  level: number;
  marks: Mark[];
  labels: Label[];
}

export function makeAtlas(data: MapPlaces, byId: ReadonlyMap<string, TreeNode>): Atlas {
  const levels: Place[][] = [];
  const places = new Map<string, Place>();
  data.places.id.forEach((id, i) => {
    const node = byId.get(id);
    const [x, y] = [data.places.x[i], data.places.y[i]];
    if (!node || x === undefined || y === undefined) return;
    const place = { node, x, y };
    (levels[node.level] ??= []).push(place);
    places.set(id, place);
  });
  for (let level = 0; level < levels.length; level++) {
    levels[level] ??= [];
    levels[level]?.sort((a, b) => b.node.conversations - a.node.conversations);
  }
  return { levels, byId: places, grid: data.grid, cells: data.cells };
}

function inSight(places: Place[], { width, height, left, top, scale }: Frame): Place[] {
  const margin = 24 / scale;
  const [x0, x1] = [-left / scale - margin, (width - left) / scale + margin];
  const [y0, y1] = [-top / scale - margin, (height - top) / scale + margin];
  return places.filter(({ x, y }) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
}

export function compose(
  atlas: Atlas,
  frame: Frame,
  colour: (node: TreeNode) => string,
  found: ReadonlySet<string> | null,
  widthOf: (text: string, size: number, bold: boolean) => number,
): Scene {
  const seen = atlas.levels.map((places) => inSight(places, frame));
  const finest = seen.findIndex((places) => places.length <= MOST_MARKS);
  const level = Math.max(0, finest);
  const whole = Math.sqrt((COVERED * Math.min(frame.width, frame.height) ** 2) / Math.PI);
  const radius = ({ share }: TreeNode) =>
    Math.min(
      LARGEST,
      Math.max(SMALLEST * frame.zoom ** 0.3, whole * Math.sqrt(share * frame.zoom)),
    );
  const marks = (seen[level] ?? []).map((place) => ({
    place,
    x: frame.left + place.x * frame.scale,
    y: frame.top + place.y * frame.scale,
    r: radius(place.node),
    colour: found && !found.has(place.node.id) ? NONE : colour(place.node),
  }));
  return { level, marks, labels: label(seen, level, frame, found, radius, widthOf) };
}

/** Labels from the broadest level down, the largest first, each where there is room left. */
function label(
  seen: Place[][],
  finest: number,
  frame: Frame,
  found: ReadonlySet<string> | null,
  radius: (node: TreeNode) => number,
  widthOf: (text: string, size: number, bold: boolean) => number,
): Label[] {
  const labels: Label[] = [];
  const boxes: [number, number, number, number][] = [];
  const top = seen.length - 1;
  for (let level = top; level >= finest && labels.length < MOST_LABELS; level--) {
    const places = seen[level] ?? [];
    const wanted = found ? places.filter(({ node }) => found.has(node.id)) : places;
    if (level < top && wanted.length > FEW && !found) continue;
    const bold = level === top && top > 0;
    const size = bold ? 14 : level === finest ? 11.5 : 12.5;
    for (const { node, x, y } of wanted) {
      if (labels.length >= MOST_LABELS) break;
      const lines = wrapped(node.title, LETTERS, LINES);
      const half = Math.max(...lines.map((line) => widthOf(line, size, bold))) / 2 + 4;
      const high = lines.length * size * 1.2;
      const cx = frame.left + x * frame.scale;
      // What is drawn as a mark has its label below it, all else in the middle of its parts.
      const below = level === finest ? radius(node) + high / 2 + 1 : 0;
      const cy = frame.top + y * frame.scale + below;
      const box: [number, number, number, number] = [cx - half, cy - high / 2, cx + half, cy + high / 2];
      if (box[0] < 0 || box[2] > frame.width || box[1] < 0 || box[3] > frame.height) continue;
      if (boxes.some((b) => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1])) continue;
      boxes.push(box);
      labels.push({ lines, x: cx, y: cy - high / 2 + size, size, bold });
    }
  }
  return labels;
}

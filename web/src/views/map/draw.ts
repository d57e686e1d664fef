/** The scene on a canvas as one moves, and as an SVG to save. */

import { computed } from "../../download";
import type { Point } from "../../route";
import { NONE } from "../explore/quantity";
import type { Atlas, Frame, Label, Mark, Scene } from "./scene";

export const FONT = "system-ui, sans-serif";
const LINE = 1.2;
/** Empty cells around the density, so that it fades out rather than ends. */
const EDGE = 2;

/** Colours of the page as they are now; a canvas knows no CSS variables. */
export function palette(): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before) return before;
    const found = computed(`var(--${name})`);
    known.set(name, found);
    return found;
  };
}

/** The density as a small picture, a pixel a cell, which is drawn smoothly enlarged. */
export function density({ grid, cells }: Atlas, colour: string): HTMLCanvasElement {
  const picture = document.createElement("canvas");
  picture.width = grid + 2 * EDGE;
  picture.height = grid + 2 * EDGE;
  const context = picture.getContext("2d");
  if (!context) return picture;
  const most = Math.max(...cells.conversations, 1);
  context.fillStyle = colour;
  cells.conversations.forEach((n, i) => {
    context.globalAlpha = 0.04 + 0.2 * Math.sqrt(n / most);
    context.fillRect((cells.x[i] ?? 0) + EDGE, (cells.y[i] ?? 0) + EDGE, 1, 1);
  });
  return picture;
}

interface Marked {
  selected: Mark | null;
  pointed: Mark | null;
  /** What is being drawn or is marked, in pixels. */
  area: readonly Point[] | null;
  /** Whether the middle is pointed at, by the keys. */
  crosshair: boolean;
}

export function drawScene(
  context: CanvasRenderingContext2D,
  frame: Frame,
  scene: Scene,
  cloud: HTMLCanvasElement,
  colour: (name: string) => string,
  marked: Marked,
): void {
  const { width, height, left, top, scale } = frame;
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = true;
  const cell = scale / (cloud.width - 2 * EDGE);
  const [edge, whole] = [EDGE * cell, cloud.width * cell];
  context.drawImage(cloud, left - edge, top - edge, whole, whole);
  drawMarks(context, scene.marks, colour);
  for (const mark of [marked.selected, marked.pointed]) if (mark) ring(context, mark, colour);
  drawLabels(context, scene.labels, colour);
  if (marked.area) drawArea(context, marked.area, colour);
  if (marked.crosshair) {
    context.strokeStyle = colour("text");
    context.lineWidth = 1;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      context.moveTo(width / 2 + 5 * dx, height / 2 + 5 * dy);
      context.lineTo(width / 2 + 13 * dx, height / 2 + 13 * dy);
    }
    context.stroke();
  }
}

function drawMarks(
  context: CanvasRenderingContext2D,
  marks: Mark[],
  colour: (name: string) => string,
): void {
  // One path a colour: a path each would take many times as long. What is pale lies below.
  const byColour = new Map<string, Mark[]>([[NONE, []]]);
  for (const mark of marks) {
    const group = byColour.get(mark.colour);
    if (group) group.push(mark);
    else byColour.set(mark.colour, [mark]);
  }
  context.lineWidth = 1;
  context.strokeStyle = colour("surface");
  for (const [name, group] of byColour) {
    context.fillStyle = colour(name);
    context.globalAlpha = name === NONE ? 0.55 : 0.85;
    context.beginPath();
    for (const { x, y, r } of group) {
      context.moveTo(x + r, y);
      context.arc(x, y, r, 0, 2 * Math.PI);
    }
    context.fill();
    if (group.length < 400) context.stroke();
  }
  context.globalAlpha = 1;
}

function ring(context: CanvasRenderingContext2D, { x, y, r }: Mark, colour: (n: string) => string) {
  context.beginPath();
  context.arc(x, y, r + 4, 0, 2 * Math.PI);
  context.lineWidth = 5;
  context.strokeStyle = colour("surface");
  context.stroke();
  context.lineWidth = 2.5;
  context.strokeStyle = colour("text");
  context.stroke();
}

const font = ({ size, bold }: Pick<Label, "size" | "bold">) =>
  `${bold ? "650 " : ""}${size}px ${FONT}`;

function drawLabels(
  context: CanvasRenderingContext2D,
  labels: Label[],
  colour: (name: string) => string,
): void {
  context.textAlign = "center";
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = colour("surface");
  context.fillStyle = colour("text");
  for (const label of labels) {
    context.font = font(label);
    label.lines.forEach((line, i) => {
      const y = label.y + i * label.size * LINE;
      context.strokeText(line, label.x, y);
      context.fillText(line, label.x, y);
    });
  }
}

function drawArea(
  context: CanvasRenderingContext2D,
  area: readonly Point[],
  colour: (name: string) => string,
): void {
  context.beginPath();
  for (const [x, y] of area) context.lineTo(x, y);
  context.closePath();
  context.fillStyle = colour("accent");
  context.globalAlpha = 0.1;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.strokeStyle = colour("accent");
  context.stroke();
  context.setLineDash([]);
}

/** Widths of texts, each measured once. */
export function ruler(): (text: string, size: number, bold: boolean) => number {
  const context = document.createElement("canvas").getContext("2d");
  const known = new Map<string, number>();
  return (text, size, bold) => {
    const key = `${size} ${bold} ${text}`;
    let width = known.get(key);
    if (width === undefined) {
      if (context) context.font = font({ size, bold });
      width = context?.measureText(text).width ?? text.length * size * 0.55;
      known.set(key, width);
    }
    return width;
  };
}

const SVG = "http://www.w3.org/2000/svg";

/** The scene as an SVG on its own, in CSS variables: `download.standalone` computes them. */
export function sceneSvg(frame: Frame, scene: Scene, atlas: Atlas): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const add = (name: string, attributes: Record<string, string | number>, text = "") => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    element.textContent = text;
    svg.append(element);
  };
  svg.setAttribute("width", String(frame.width));
  svg.setAttribute("height", String(frame.height));
  const cell = frame.scale / atlas.grid;
  const most = Math.max(...atlas.cells.conversations, 1);
  atlas.cells.conversations.forEach((n, i) => {
    const [x, y] = [
      frame.left + (atlas.cells.x[i] ?? 0) * cell,
      frame.top + (atlas.cells.y[i] ?? 0) * cell,
    ];
    if (x + cell < 0 || y + cell < 0 || x > frame.width || y > frame.height) return;
    add("rect", {
      x,
      y,
      width: cell,
      height: cell,
      fill: "var(--muted)",
      "fill-opacity": (0.04 + 0.2 * Math.sqrt(n / most)).toFixed(3),
    });
  });
  for (const { x, y, r, colour } of scene.marks) {
    const [cx, cy] = [x.toFixed(1), y.toFixed(1)];
    add("circle", { cx, cy, r: r.toFixed(1), fill: `var(--${colour})`, "fill-opacity": 0.85 });
  }
  for (const { lines, x, y, size, bold } of scene.labels) {
    lines.forEach((line, i) =>
      add(
        "text",
        {
          x: x.toFixed(1),
          y: (y + i * size * LINE).toFixed(1),
          "font-size": size,
          "font-weight": bold ? 650 : 400,
          "text-anchor": "middle",
          fill: "var(--text)",
          stroke: "var(--surface)",
          "stroke-width": 3.5,
          "stroke-linejoin": "round",
          "paint-order": "stroke",
        },
        line,
      ),
    );
  }
  return svg;
}

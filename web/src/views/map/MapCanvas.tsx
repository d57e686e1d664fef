import { select } from "d3-selection";
import { type D3ZoomEvent, type ZoomTransform, zoom, zoomIdentity } from "d3-zoom";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Picture } from "../../components/Picture";
import { standalone } from "../../download";
import { counted, percentInterval, tells } from "../../format";
import type { Point, Route } from "../../route";
import { sourceLine } from "../../source";
import type { ShownProps } from "../explore/Explore";
import { density, drawScene, ruler, sceneSvg } from "./draw";
import { simplified } from "./places";
import { type Atlas, type Frame, type Mark, type Scene, compose } from "./scene";
import { usePalette } from "./usePalette";

const MOST_ZOOM = 60;
const STEP = 1.6;
const PAN = 70;
const CORNERS = 24;
const NEAR = 12;

interface Props extends ShownProps {
  atlas: Atlas;
  found: ReadonlySet<string> | null;
}

interface Size {
  width: number;
  height: number;
}

function frameOf({ width, height }: Size, transform: ZoomTransform): Frame {
  const whole = Math.min(width, height);
  return {
    width,
    height,
    left: transform.applyX((width - whole) / 2),
    top: transform.applyY((height - whole) / 2),
    scale: whole * transform.k,
    zoom: transform.k,
  };
}

function placeOf(frame: Frame): NonNullable<Route["at"]> {
  return {
    x: (frame.width / 2 - frame.left) / frame.scale,
    y: (frame.height / 2 - frame.top) / frame.scale,
    k: frame.zoom,
  };
}

function transformOf({ width, height }: Size, at: Route["at"]): ZoomTransform {
  if (!at) return zoomIdentity;
  const whole = Math.min(width, height);
  const k = Math.min(MOST_ZOOM, Math.max(1, at.k));
  return zoomIdentity
    .translate(width / 2, height / 2)
    .scale(k)
    .translate(-((width - whole) / 2 + at.x * whole), -((height - whole) / 2 + at.y * whole));
}

const pixels = (frame: Frame, [x, y]: Point): Point => [
  frame.left + x * frame.scale,
  frame.top + y * frame.scale,
];

const places = (frame: Frame, [x, y]: Point): Point => [
  (x - frame.left) / frame.scale,
  (y - frame.top) / frame.scale,
];

/** The nearest mark to a point of the picture, if it is near at all. */
function nearest({ marks }: Scene, x: number, y: number): Mark | null {
  let best: Mark | null = null;
  let least = Infinity;
  for (const mark of marks) {
    const away = Math.hypot(mark.x - x, mark.y - y) - mark.r;
    if (away < least && away < NEAR) [best, least] = [mark, away];
  }
  return best;
}

export function MapCanvas({ atlas, found, quantity, route, navigate, select: open, release }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [marking, setMarking] = useState(false);
  const [pointed, setPointed] = useState<Mark | null>(null);
  const [keyed, setKeyed] = useState(false);
  const colour = usePalette();
  const cloud = useMemo(() => density(atlas, colour("muted")), [atlas, colour]);
  const widthOf = useMemo(ruler, []);

  // What changes with every frame is no state of the page: it is drawn, not rendered.
  const now = useRef({ transform: zoomIdentity, drawing: null as Point[] | null, pending: 0 });
  const seen = useRef<{ frame: Frame; scene: Scene } | null>(null);

  const draw = useRef(() => {});
  draw.current = () => {
    const context = canvas.current?.getContext("2d");
    if (!context || size.width === 0) return;
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const frame = frameOf(size, now.current.transform);
    const scene = compose(atlas, frame, quantity.colour, found, widthOf);
    seen.current = { frame, scene };
    const chosen = atlas.byId.get(route.cluster);
    const mark = scene.marks.find(({ place }) => place === chosen);
    const [x, y] = chosen ? pixels(frame, [chosen.x, chosen.y]) : [0, 0];
    drawScene(context, frame, scene, cloud, colour, {
      selected: mark ?? (chosen ? { place: chosen, x, y, r: 8, colour: "accent" } : null),
      pointed,
      area: now.current.drawing ?? route.area?.map((corner) => pixels(frame, corner)) ?? null,
      crosshair: keyed,
    });
  };
  const soon = () => {
    if (now.current.pending !== 0) return;
    now.current.pending = requestAnimationFrame(() => {
      now.current.pending = 0;
      draw.current();
    });
  };

  useEffect(() => {
    const box = canvas.current;
    if (!box) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: box.clientWidth, height: box.clientHeight }),
    );
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const mover = useMemo(() => zoom<HTMLCanvasElement, unknown>(), []);
  useLayoutEffect(() => {
    const box = canvas.current;
    if (!box || size.width === 0) return;
    box.width = Math.round(size.width * devicePixelRatio);
    box.height = Math.round(size.height * devicePixelRatio);
    const whole = Math.min(size.width, size.height);
    mover
      .extent([[0, 0], [size.width, size.height]])
      .translateExtent([
        [(size.width - whole) / 2 - whole / 2, (size.height - whole) / 2 - whole / 2],
        [(size.width + whole) / 2 + whole / 2, (size.height + whole) / 2 + whole / 2],
      ])
      .scaleExtent([0.8, MOST_ZOOM])
      .filter((event: MouseEvent) => !event.shiftKey && !("marking" in box.dataset) && !event.button)
      .on("zoom", ({ transform }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        now.current.transform = transform;
        setPointed(null);
        soon();
      })
      .on("end", ({ sourceEvent }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        if (sourceEvent) remember();
      });
    select(box).call(mover).call(mover.transform, transformOf(size, route.at));
    draw.current();
  }, [size, mover]);

  // Back, and links, move the map.
  useEffect(() => {
    const box = canvas.current;
    if (!box || size.width === 0) return;
    const there = placeOf(frameOf(size, now.current.transform));
    const wanted = route.at ?? placeOf(frameOf(size, zoomIdentity));
    const away = Math.max(Math.abs(there.x - wanted.x), Math.abs(there.y - wanted.y));
    if (away * wanted.k > 0.01 || Math.abs(there.k / wanted.k - 1) > 0.01) {
      select(box).call(mover.transform, transformOf(size, route.at));
    }
  }, [route.at?.x, route.at?.y, route.at?.k]);

  useEffect(soon);

  const remember = () => {
    const frame = frameOf(size, now.current.transform);
    const whole = Math.abs(frame.zoom - 1) < 0.001 && Math.abs(now.current.transform.x) < 1;
    navigate({ at: whole ? null : placeOf(frame) }, "replace");
  };

  const move = (change: (box: HTMLCanvasElement) => void) => {
    const box = canvas.current;
    if (!box) return;
    change(box);
    remember();
    requestAnimationFrame(() => {
      const shown = seen.current;
      if (shown) setPointed(nearest(shown.scene, size.width / 2, size.height / 2));
    });
  };
  const scaleBy = (by: number) => move((box) => select(box).call(mover.scaleBy, by));
  const all = () => move((box) => select(box).call(mover.transform, zoomIdentity));

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 3 * PAN : PAN;
    const k = now.current.transform.k;
    const pan = (x: number, y: number) =>
      move((box) => select(box).call(mover.translateBy, x / k, y / k));
    const ways: Record<string, () => void> = {
      ArrowLeft: () => pan(far, 0),
      ArrowRight: () => pan(-far, 0),
      ArrowUp: () => pan(0, far),
      ArrowDown: () => pan(0, -far),
      "+": () => scaleBy(STEP),
      "=": () => scaleBy(STEP),
      "-": () => scaleBy(1 / STEP),
      "0": all,
      Escape: () => navigate({ area: null }),
      Enter: () => pointed && open(pointed.place.node.id),
    };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    way();
  };

  const at = (event: PointerEvent | MouseEvent): Point => [event.offsetX, event.offsetY];

  const onPointerDown = (event: PointerEvent) => {
    if (!(marking || event.shiftKey) || event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    now.current.drawing = [at(event)];
  };
  const onPointerMove = (event: PointerEvent) => {
    const { drawing } = now.current;
    if (drawing) {
      drawing.push(at(event));
      soon();
      return;
    }
    if (event.pointerType === "touch" || event.buttons !== 0 || !seen.current) return;
    const mark = nearest(seen.current.scene, ...at(event));
    if (mark?.place !== pointed?.place) setPointed(mark);
  };
  const onPointerUp = () => {
    const { drawing } = now.current;
    now.current.drawing = null;
    if (!drawing || !seen.current) return;
    const { frame } = seen.current;
    if (drawing.length > 3) {
      const area = simplified(drawing, CORNERS).map((corner) => places(frame, corner));
      navigate({ area });
    }
    setMarking(false);
    soon();
  };
  const markAll = () => {
    const frame = frameOf(size, now.current.transform);
    const corners: Point[] = [
      [0, 0],
      [size.width, 0],
      [size.width, size.height],
      [0, size.height],
    ];
    navigate({ area: corners.map((corner) => places(frame, corner)) });
  };

  const title = `Map of clusters, coloured by ${quantity.name.toLowerCase()}`;
  const picture = () => {
    const shown = seen.current;
    if (!shown) return null;
    const svg = sceneSvg(shown.frame, shown.scene, atlas);
    // Colours and sizes are computed where it is on the page.
    svg.classList.add("aside");
    document.body.append(svg);
    const written = standalone(svg, caption);
    svg.remove();
    return written;
  };
  const caption = {
    title,
    source: sourceLine(release.info),
    legend: quantity.legend.map(({ colour: of, label }) => ({ label, colour: `var(--${of})` })),
  };
  return (
    <>
      <div class={marking ? "map marking" : "map"}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label={title}
          aria-describedby="map-keys"
          data-marking={marking ? "" : undefined}
          onKeyDown={onKeyDown}
          onFocus={(event) => setKeyed(event.currentTarget.matches(":focus-visible"))}
          onBlur={() => setKeyed(false)}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerLeave={() => setPointed(null)}
          onClick={(event) => {
            if (event.shiftKey || !seen.current) return;
            const mark = nearest(seen.current.scene, ...at(event));
            if (mark) open(mark.place.node.id);
          }}
        />
        <div class="map-tools" role="group" aria-label="Map">
          <button type="button" aria-label="Zoom in" onClick={() => scaleBy(STEP)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => scaleBy(1 / STEP)}>
            −
          </button>
          <button type="button" onClick={all}>
            All
          </button>
          <button type="button" aria-pressed={marking} onClick={() => setMarking(!marking)}>
            Mark an area
          </button>
          <button type="button" onClick={markAll}>
            Mark what is seen
          </button>
        </div>
        {pointed && <Tip mark={pointed} size={size} value={`${quantity.name}: ${quantity.text(pointed.place.node)}`} />}
      </div>
      <p class="hidden" id="map-keys">
        Arrow keys move the map, plus and minus zoom, 0 shows all, Enter opens the cluster in the
        middle. The table shows the same clusters as text.
      </p>
      <p class="hidden" role="status">
        {pointed && keyed ? `${pointed.place.node.title}, ${quantity.text(pointed.place.node)}` : ""}
      </p>
      <Picture name="clio-map" picture={picture} caption={caption} />
    </>
  );
}

function Tip({ mark, size, value }: { mark: Mark; size: Size; value: string }) {
  const { node } = mark.place;
  const [share, interval] = percentInterval(node.share, node.low, node.high);
  return (
    <div
      class="map-tip"
      aria-hidden="true"
      style={{
        left: `${Math.min(Math.max(mark.x, 130), Math.max(130, size.width - 130))}px`,
        top: `${mark.y}px`,
        translate: mark.y > size.height / 2 ? `-50% calc(-100% - ${mark.r + 10}px)` : `-50% ${mark.r + 10}px`,
      }}
    >
      <b dir="auto">{node.title}</b>
      <span>
        {share}
        {tells(node.low, node.high) && ` (${interval})`}, {counted(node.conversations, "conversation")}
      </span>
      <span>{value}</span>
    </div>
  );
}

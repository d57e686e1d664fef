/** A chart of Observable Plot, which is loaded when the first chart is drawn. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Picture } from "../components/Picture";
import type { Caption } from "../download";

export type Plot = typeof import("./plot");

let library: Promise<Plot> | null = null;
const loadPlot = () => (library ??= import("./plot"));

interface Props {
  /** What the chart shows, for those who do not see it. */
  label: string;
  height: number;
  /** Changes when the chart has to be drawn again. */
  version: string;
  /** What a saved picture says beside the chart; none: it cannot be saved. */
  caption?: Caption;
  /** Further buttons and links beside those that save it. */
  actions?: ComponentChildren;
  draw: (plot: Plot, size: { width: number; height: number; className: string }) => Element;
}

export function Chart({ label, height, version, caption, actions, draw }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (width === 0) return;
    let current = true;
    loadPlot().then(
      (plot) => {
        if (!current || !place.current) return;
        const drawn = draw(plot, { width, height, className: "plot" });
        // Plot's own style element is inline, which the page's content policy forbids;
        // style/notices.css holds what it would say.
        for (const style of drawn.querySelectorAll("style")) style.remove();
        drawn.setAttribute("aria-hidden", "true");
        place.current.replaceChildren(drawn);
      },
      () => setFailed(true),
    );
    return () => {
      current = false;
    };
  }, [width, height, version]);

  if (failed) return <p class="quiet">The chart could not be loaded.</p>;
  return (
    <>
      <div
        class="chart"
        role="img"
        aria-label={label}
        ref={place}
        style={{ minHeight: `${height}px` }}
      />
      {caption && (
        <Picture
          name="clio-chart"
          picture={() => place.current?.querySelector("svg") ?? null}
          caption={caption}
        >
          {actions}
        </Picture>
      )}
    </>
  );
}

/** Buttons that save a picture of what is shown. */

import type { ComponentChildren } from "preact";
import { type Caption, png, save, standalone, svgBlob } from "../download";

interface Props {
  name: string;
  /** An SVG on the page, or one already written; null: there is none yet. */
  picture: () => SVGSVGElement | string | null;
  caption: Caption;
  children?: ComponentChildren;
}

export function Picture({ name, picture, caption, children }: Props) {
  const written = () => {
    const found = picture();
    return found instanceof SVGSVGElement ? standalone(found, caption) : found;
  };
  return (
    <p class="actions">
      <button
        type="button"
        onClick={() => {
          const svg = written();
          if (svg) save(svgBlob(svg), `${name}.svg`);
        }}
      >
        Save as SVG
      </button>
      <button
        type="button"
        onClick={() => {
          const svg = written();
          if (svg) void png(svg).then((blob) => save(blob, `${name}.png`));
        }}
      >
        Save as PNG
      </button>
      {children}
    </p>
  );
}

/** Places of clusters, and which of them lie within an area. */

import type { MapPlaces } from "../../api";
import type { Point } from "../../route";

/** Whether a point lies within a polygon: rays to the right cross its edges an odd number of times. */
export function inside(x: number, y: number, corners: readonly Point[]): boolean {
  let odd = false;
  let previous = corners.at(-1);
  for (const corner of corners) {
    if (previous) {
      const [ax, ay] = previous;
      const [bx, by] = corner;
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    previous = corner;
  }
  return odd;
}

/** Clusters whose places lie within an area. */
export function within({ places }: MapPlaces, corners: readonly Point[]): Set<string> {
  return new Set(
    places.id.filter((_, i) => inside(places.x[i] ?? -1, places.y[i] ?? -1, corners)),
  );
}

/** A path that was drawn by hand, with at most so many corners. */
export function simplified(path: readonly Point[], most: number): Point[] {
  const step = Math.max(1, Math.ceil(path.length / most));
  return path.filter((_, i) => i % step === 0);
}

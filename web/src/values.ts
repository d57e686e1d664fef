/** Values of breakdowns: their names as people read them, and their natural order. */

const LANGUAGES = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
const COUNTRIES = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });
const WEEKDAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
];
const TIMES = ["night", "morning", "afternoon", "evening"];
const UNKNOWN = "unknown";

/** `es` → "Spanish", `ES` → "Spain"; every other value as it stands. */
export function valueName(dimension: string, value: string): string {
  if (value === UNKNOWN) return value;
  try {
    if (dimension === "language") return LANGUAGES.of(value) ?? value;
    if (dimension === "country") return COUNTRIES.of(value.toUpperCase()) ?? value;
    return value;
  } catch {
    return value;
  }
}

/** Where a value stands in the order of its dimension; `undefined` where it has none. */
function rank(dimension: string, value: string): number | undefined {
  if (dimension === "weekday") return indexOr(WEEKDAYS, value);
  if (dimension === "time_of_day") return indexOr(TIMES, value.split(" ")[0] ?? "");
  // Bins of numbers begin with their lower edge: "1", "2-4", "10+".
  const bin = /^(\d+)(?:-\d+|\+)?(?: |$)/.exec(value);
  return bin ? Number(bin[1]) : undefined;
}

function indexOr(order: string[], value: string): number | undefined {
  const index = order.indexOf(value);
  return index < 0 ? undefined : index;
}

/** Cells in their natural order where all have one ("unknown" last), else as they come. */
export function ordered<T extends { value: string }>(dimension: string, cells: T[]): T[] {
  const ranks = cells.map((cell) =>
    cell.value === UNKNOWN ? Infinity : rank(dimension, cell.value),
  );
  if (ranks.some((r) => r === undefined)) return cells;
  return cells
    .map((cell, i) => ({ cell, at: ranks[i] as number }))
    .sort((a, b) => a.at - b.at)
    .map(({ cell }) => cell);
}

/** Without case, accents and compatibility forms, as words are compared. */
export const folded = (text: string) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

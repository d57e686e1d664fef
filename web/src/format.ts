/** Numbers, dates and names as people read them. */

import type { Granularity } from "./api";

const COUNT = new Intl.NumberFormat("en");
const NNBSP = "\u202f";

export const count = (n: number) => COUNT.format(n);

/** 1 conversation, 2 conversations. */
export const counted = (n: number, one: string, many = `${one}s`) =>
  `${count(n)} ${n === 1 ? one : many}`;

function percentNumber(share: number, digits: number): string {
  return share === 0 || share === 1 ? String(100 * share) : (100 * share).toFixed(digits);
}

/** "12.3 %". */
export function percent(share: number): string {
  const digits = share >= 0.01 ? 1 : share >= 0.001 ? 2 : 3;
  return `${percentNumber(share, digits)}${NNBSP}%`;
}

/** "12.3 %" and "11.8–12.9 %": as many digits in both as the interval's width warrants. */
export function percentInterval(share: number, low: number, high: number): [string, string] {
  const width = 100 * (high - low);
  const digits = width >= 0.5 ? 1 : width >= 0.05 ? 2 : 3;
  const [middle, from, to] = [share, low, high].map((end) => percentNumber(end, digits));
  return [`${middle}${NNBSP}%`, `${from}–${to}${NNBSP}%`];
}

/** Whether an interval says anything: that of a single account is everything from 0 to 1. */
export const tells = (low: number, high: number) => low > 0 || high < 1;

/** A mean of counts or scores: two digits after the point, one from ten on, none from a thousand. */
export function mean(value: number): string {
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A tick of a percentage axis: no more digits than it needs. */
export const percentTick = (share: number) => `${+(share * 100).toFixed(3)}${NNBSP}%`;

/** `user_turns` → "User turns". */
export function name(identifier: string): string {
  const words = identifier.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A date without time, read as UTC so that no time zone shifts the day. */
export const day = (iso: string) => new Date(`${iso}T00:00:00Z`);

const DAY = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const MONTH = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

export const dayWords = (iso: string) => DAY.format(day(iso));

export const dayRange = (first: string, last: string) => DAY.formatRange(day(first), day(last));

export function period(iso: string, granularity: Granularity): string {
  const date = day(iso);
  if (granularity === "year") return String(date.getUTCFullYear());
  if (granularity === "quarter") {
    return `quarter ${Math.floor(date.getUTCMonth() / 3) + 1} of ${date.getUTCFullYear()}`;
  }
  if (granularity === "month") return MONTH.format(date);
  return granularity === "week" ? `week of ${DAY.format(date)}` : DAY.format(date);
}

/** A difference of two shares in percentage points: "+1.8 points". */
export function points(difference: number): string {
  const digits = Math.abs(difference) >= 0.001 ? 1 : 2;
  const size = Math.abs(100 * difference).toFixed(digits);
  return `${difference < 0 ? "−" : "+"}${size} points`;
}

/** "+1.8 points" and "+1.2 to +2.4": as many digits in both as the interval's width warrants. */
export function pointsInterval(difference: number, low: number, high: number): [string, string] {
  const width = 100 * (high - low);
  const digits = width >= 0.5 ? 1 : width >= 0.05 ? 2 : 3;
  const say = (value: number) =>
    `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(digits)}`;
  return [`${say(difference)} points`, `${say(low)} to ${say(high)}`];
}

/** How many times the base rate: "2.4×". */
export const times = (ratio: number) =>
  `${ratio.toFixed(ratio >= 10 ? 0 : ratio >= 0.095 ? 1 : 2)}×`;

/** The interval of a ratio: "1.4–7.6×". */
export const timesInterval = (low: number, high: number | null) =>
  high === null ? `over ${times(low)}` : `${times(low).slice(0, -1)}–${times(high)}`;

/** What a cluster must have to be shown: "25 accounts and 50 conversations". */
export function thresholdWords(thresholds: Record<string, unknown>): string {
  const accounts = Number(thresholds["accounts"] ?? 1);
  const conversations = counted(Number(thresholds["conversations"] ?? 1), "conversation");
  return accounts > 1 ? `${count(accounts)} accounts and ${conversations}` : conversations;
}

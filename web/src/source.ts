import type { ReleaseInfo } from "./api";
import { counted, dayRange, thresholdWords } from "./format";

/** What a saved picture says of where its numbers come from. */
export const sourceLine = (info: ReleaseInfo) =>
  `Clio, release ${info.number}: ${counted(info.totals.conversations, "conversation")}` +
  (info.period ? `, ${dayRange(info.period.first, info.period.last)}` : "") +
  `; clusters of at least ${thresholdWords(info.thresholds)}`;

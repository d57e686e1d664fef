/** Ranked rows, each a bar on one common scale, with its interval or the base rate. */

import { count, percent, percentInterval } from "../format";

export interface Bar {
  key: string;
  label: string;
  share: number;
  low?: number;
  high?: number;
  baseline?: number | null;
  /** Shown before the share. */
  count?: number;
  href?: string;
  detail?: string;
  /** Not a cluster or value but what is not shown. */
  muted?: boolean;
}

/** The share, and its interval where it has one. */
const shareTexts = ({ share, low, high }: Bar): string[] =>
  low === undefined || high === undefined ? [percent(share)] : percentInterval(share, low, high);

export function Bars({ bars, describe }: { bars: Bar[]; describe: string }) {
  const top = Math.max(...bars.map((b) => Math.max(b.share, b.high ?? 0, b.baseline ?? 0)), 1e-9);
  const at = (value: number) => `${(100 * value) / top}%`;
  return (
    <ol class="bars" aria-label={describe}>
      {bars.map((bar) => {
        const [share, interval] = shareTexts(bar);
        return (
          <li key={bar.key} class={bar.muted ? "bar-row bar-muted" : "bar-row"}>
            <div class="bar-head">
              {bar.href ? (
                <a href={bar.href} dir="auto">
                  {bar.label}
                </a>
              ) : (
                <span dir="auto">{bar.label}</span>
              )}
              <span class="bar-value">
                {bar.count !== undefined && <span>{count(bar.count)}</span>}
                <b>{share}</b>
                {interval && <span class="quiet">{interval}</span>}
                {bar.baseline !== undefined && (
                  <span class="quiet">
                    {bar.baseline === null
                      ? "overall not shown"
                      : `overall ${percent(bar.baseline)}`}
                  </span>
                )}
              </span>
            </div>
            <div class="bar-track" aria-hidden="true">
              <div class="bar-fill" style={{ width: at(bar.share) }} />
              {bar.low !== undefined && bar.high !== undefined && (
                <div class="whisker" style={{ left: at(bar.low), width: at(bar.high - bar.low) }} />
              )}
              {typeof bar.baseline === "number" && (
                <div class="base-rate" style={{ left: at(bar.baseline) }} />
              )}
            </div>
            {bar.detail && <div class="bar-detail quiet">{bar.detail}</div>}
          </li>
        );
      })}
    </ol>
  );
}

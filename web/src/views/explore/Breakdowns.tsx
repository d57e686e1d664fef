import { useState } from "preact/hooks";
import type { Breakdown } from "../../api";
import { type Bar, Bars } from "../../components/Bars";
import { counted, name } from "../../format";
import { ordered, valueName } from "../../values";

const FIRST = 8;

interface Props {
  breakdowns: Breakdown[];
  isRoot: boolean;
  conversations: number;
}

export function Breakdowns({ breakdowns, isRoot, conversations }: Props) {
  return (
    <>
      {!isRoot && (
        <p class="quiet legend">
          <span class="legend-fill" aria-hidden="true" /> this cluster
          <span class="legend-base" aria-hidden="true" /> all conversations
        </p>
      )}
      <div class="cards">
        {breakdowns.map((breakdown) => (
          <Card
            key={breakdown.dimension}
            breakdown={breakdown}
            isRoot={isRoot}
            conversations={conversations}
          />
        ))}
      </div>
    </>
  );
}

interface CardProps {
  breakdown: Breakdown;
  isRoot: boolean;
  conversations: number;
}

function Card({ breakdown, isRoot, conversations }: CardProps) {
  const { dimension, not_shown: notShown } = breakdown;
  const cells = ordered(dimension, breakdown.cells);
  const [all, setAll] = useState(false);
  const title = name(dimension);
  const bars: Bar[] = (all ? cells : cells.slice(0, FIRST)).map((cell) => ({
    key: `value ${cell.value}`,
    label: valueName(dimension, cell.value),
    share: cell.share,
    ...(isRoot ? {} : { baseline: cell.baseline }),
  }));
  if (notShown > 0 && (all || cells.length <= FIRST)) {
    bars.push({
      key: "not shown",
      label: "Other (not shown)",
      share: notShown / conversations,
      muted: true,
    });
  }
  return (
    <div class="card">
      <h3>{title}</h3>
      <Bars bars={bars} describe={`${title} by share`} />
      {cells.length > FIRST && (
        <button type="button" class="more" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? "Show fewer" : `Show all ${counted(cells.length, "value")}`}
        </button>
      )}
    </div>
  );
}

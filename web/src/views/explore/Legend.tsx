import type { Quantity } from "./quantity";

/** What the colours of marks mean. */
export function Legend({ quantity }: { quantity: Quantity }) {
  return (
    <ul class="colours quiet" aria-label={`Colours: ${quantity.name}`}>
      {quantity.legend.map(({ colour, label }) => (
        <li key={label}>
          <i style={{ background: `var(--${colour})` }} aria-hidden="true" />
          <span dir="auto">{label}</span>
        </li>
      ))}
    </ul>
  );
}

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** The first rows, or all of them, and the button that asks for the others where there are any. */
export function useFewAtFirst<T>(rows: T[], first: number): [T[], ComponentChildren] {
  const [all, setAll] = useState(false);
  const button = rows.length > first && (
    <p class="actions">
      <button type="button" onClick={() => setAll(!all)}>
        {all ? "Show fewer" : `Show all ${rows.length}`}
      </button>
    </p>
  );
  return [all ? rows : rows.slice(0, first), button];
}

/** Light or dark: as the system says, until someone chooses. */

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";
const KEY = "clio-theme";
const DARK = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null; // storage may be blocked
  }
}

export function useTheme(): [Theme, () => void] {
  const [choice, setChoice] = useState(chosen);
  const [system, setSystem] = useState<Theme>(DARK.matches ? "dark" : "light");
  const theme = choice ?? system;

  useEffect(() => {
    const follow = () => setSystem(DARK.matches ? "dark" : "light");
    DARK.addEventListener("change", follow);
    return () => DARK.removeEventListener("change", follow);
  }, []);

  // A layout effect: the page is never painted in the colours that were left.
  useLayoutEffect(() => {
    if (choice === null) delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = choice;
  }, [choice]);

  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    setChoice(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // The choice then lasts until the page is closed.
    }
  };
  return [theme, toggle];
}

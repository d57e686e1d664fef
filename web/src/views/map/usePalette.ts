import { useEffect, useMemo, useState } from "preact/hooks";
import { palette } from "./draw";

const DARK = matchMedia("(prefers-color-scheme: dark)");

/** Colours of the page, found anew when the theme changes. */
export function usePalette(): (name: string) => string {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const change = () => setChanges((before) => before + 1);
    const observer = new MutationObserver(change);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    DARK.addEventListener("change", change);
    return () => {
      observer.disconnect();
      DARK.removeEventListener("change", change);
    };
  }, []);
  return useMemo(palette, [changes]);
}

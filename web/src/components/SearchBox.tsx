import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Navigate } from "../route";

const PAUSE_MS = 10;
const KEYS = /Mac|iP/.test(navigator.platform) ? "⌘ K" : "Ctrl K";

export function SearchBox({ query, navigate }: { query: string; navigate: Navigate }) {
  const [text, setText] = useState(query);
  const input = useRef<HTMLInputElement>(null);

  // Back and links change the query from outside; what is being typed stays as it is.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(query);
  }, [query]);

  useEffect(() => {
    if (text === query) return;
    const timer = setTimeout(() => {
      // The first letter makes a step in the history, the following ones change it.
      navigate({ view: "explore", query: text }, query === "" || text === "" ? "push" : "replace");
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);

  // A layout effect: the keys work as soon as the box is seen.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <form class="search" role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        ref={input}
        type="search"
        aria-label="Search titles and summaries"
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        maxLength={500}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setText("");
          const hit = document.querySelector<HTMLElement>(".results a");
          if (event.key === "Enter") hit?.click();
          if (event.key !== "ArrowDown" || !hit) return;
          event.preventDefault();
          hit.focus();
        }}
      />
      <kbd aria-hidden="true">{KEYS}</kbd>
    </form>
  );
}

import { useEffect, useRef, useState } from "preact/hooks";
import type { Navigate } from "../route";

const PAUSE_MS = 120;

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

  useEffect(() => {
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
        placeholder="Search titles and summaries"
        autocomplete="off"
        spellcheck={false}
        maxLength={500}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setText("");
        }}
      />
      <kbd aria-hidden="true">Ctrl K</kbd>
    </form>
  );
}

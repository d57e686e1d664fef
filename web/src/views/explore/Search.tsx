import { useEffect, useRef, useState } from "preact/hooks";
import { fetchSearch } from "../../api";
import { Notice } from "../../components/Notice";
import { counted, percent } from "../../format";
import { useResource } from "../../resource";
import { type Navigate, type Route, formatRoute } from "../../route";

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
      navigate({ query: text }, query === "" || text === "" ? "push" : "replace");
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

/** Hits among the clusters of one facet. */
export function SearchResults({ route, facet }: { route: Route; facet: string }) {
  const { query } = route;
  const result = useResource(`search ${facet} ${query}`, (signal) =>
    fetchSearch(query, facet, signal),
  );
  if (result.error) {
    return (
      <Notice kind="error" title="The search failed">
        {result.error.message}
      </Notice>
    );
  }
  const found = result.data;
  const words = query.trim().split(/\s+/);
  return (
    <div class="results">
      <div role="status">
        {found && found.total > 0 && (
          <p class="quiet">
            {counted(found.total, "cluster")} found
            {found.total > found.hits.length && `, the first ${found.hits.length} shown`}
          </p>
        )}
        {found?.total === 0 && (
          <Notice kind="empty" title={`Nothing found for “${found.query.trim()}”`}>
            Try fewer or shorter words. Only titles and summaries of clusters are searched, never
            conversations.
          </Notice>
        )}
      </div>
      <ul>
        {found?.hits.map(({ cluster, path }) => (
          <li key={`${cluster.facet} ${cluster.cluster_id}`}>
            <a
              href={formatRoute({ ...route, cluster: cluster.cluster_id })}
              aria-current={cluster.cluster_id === route.cluster ? "true" : undefined}
            >
              <span class="result-title" dir="auto">
                <span>
                  <Marked text={cluster.title} words={words} />
                </span>
                <span class="tree-share">{percent(cluster.share)}</span>
              </span>
              <span class="result-path quiet">
                {path
                  .slice(1, -1)
                  .map((s) => s.title)
                  .join(" › ")}
              </span>
              <span class="result-summary" dir="auto">
                <Marked text={cluster.summary} words={words} />
              </span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A text with the words that were searched for set off. */
function Marked({ text, words }: { text: string; words: string[] }) {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${escaped.join("|")})`, "iu");
  const parts = text.split(new RegExp(pattern, "giu"));
  return <>{parts.map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part))}</>;
}

/** What is found as one types: by words of titles and summaries, then by meaning. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { type Cluster, fetchMeant } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { counted, percent } from "../../format";
import { useResource } from "../../resource";
import { type Route, formatRoute } from "../../route";
import type { Hit } from "../../search/index";
import { useIndex } from "../../search/useIndex";
import { folded } from "../../values";

const MOST = 50;
const PAUSE_MS = 250;
const WORD = /([\p{L}\p{M}\p{N}]+)/gu;

interface Props {
  route: Route;
  facet: string | null;
}

export function SearchResults({ route, facet }: Props) {
  const query = route.query.trim();
  const index = useIndex(facet, true);
  const hits = useMemo(() => index.data?.search(query) ?? [], [index.data, query]);
  const meant = useMeant(query, facet);
  if (index.error) {
    return (
      <Notice kind="error" title="The search failed">
        {index.error.message}
      </Notice>
    );
  }
  if (!index.data) return <Loading lines={4} />;
  const found = new Set(hits.map(({ cluster }) => cluster.cluster_id));
  const near = meant.filter(({ cluster }) => !found.has(cluster.cluster_id));
  return (
    <div class="results" onKeyDown={walk}>
      <div role="status">
        {hits.length > 0 && (
          <p class="quiet">
            {counted(hits.length, "cluster")} found
            {hits.length > MOST && `, the first ${MOST} shown`}
          </p>
        )}
        {hits.length === 0 && (
          <Notice kind="empty" title={`Nothing found for “${query}”`}>
            Try fewer or other words. Only titles and summaries of clusters are searched, never
            conversations.
          </Notice>
        )}
      </div>
      <ul>
        {hits.slice(0, MOST).map((hit) => (
          <Result key={hit.cluster.cluster_id} route={route} {...hit} />
        ))}
      </ul>
      {near.length > 0 && (
        <>
          <h2 class="results-more">Near in meaning</h2>
          <ul aria-label="Near in meaning">
            {near.map((hit) => (
              <Result key={hit.cluster.cluster_id} route={route} {...hit} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Asked once the typing pauses: the server has to think about it. */
function useMeant(query: string, facet: string | null): Hit[] {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(query), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query]);
  const meant = useResource(settled === "" ? null : `meant ${facet} ${settled}`, (signal) =>
    fetchMeant(settled, facet, signal),
  );
  if (settled !== query) return [];
  return (meant.data?.hits ?? []).map(({ cluster, path }) => ({
    cluster,
    path: path.slice(1, -1).map((step) => step.title),
    words: new Set<string>(),
  }));
}

/** Arrow keys go from hit to hit, and from the first back to the box. */
function walk(event: KeyboardEvent) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) next.focus();
  else if (event.key === "ArrowUp") document.querySelector<HTMLElement>(".search input")?.focus();
  event.preventDefault();
}

function Result({ route, cluster, path, words }: Hit & { route: Route }) {
  return (
    <li>
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
        <span class="result-path quiet">{path.join(" › ")}</span>
        <Summary cluster={cluster} words={words} />
      </a>
    </li>
  );
}

const Summary = ({ cluster, words }: { cluster: Cluster; words: ReadonlySet<string> }) => (
  <span class="result-summary" dir="auto">
    <Marked text={cluster.summary} words={words} />
  </span>
);

/** A text with the words that match set off. */
function Marked({ text, words }: { text: string; words: ReadonlySet<string> }) {
  if (words.size === 0) return <>{text}</>;
  return (
    <>
      {text
        .split(WORD)
        .map((part, i) => (i % 2 === 1 && words.has(folded(part)) ? <mark key={i}>{part}</mark> : part))}
    </>
  );
}

import { fetchSearch } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { counted, percent } from "../../format";
import { useResource } from "../../resource";
import { type Route, formatRoute } from "../../route";

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
  if (!found) return <Loading lines={4} />;
  const words = query.trim().split(/\s+/);
  return (
    <div class="results">
      <div role="status">
        {found.total > 0 && (
          <p class="quiet">
            {counted(found.total, "cluster")} found
            {found.total > found.hits.length && `, the first ${found.hits.length} shown`}
          </p>
        )}
        {found.total === 0 && (
          <Notice kind="empty" title={`Nothing found for “${found.query.trim()}”`}>
            Try fewer or shorter words. Only titles and summaries of clusters are searched, never
            conversations.
          </Notice>
        )}
      </div>
      <ul>
        {found.hits.map(({ cluster, path }) => (
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

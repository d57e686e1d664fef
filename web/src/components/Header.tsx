import { useServing } from "../live";
import { type View, VIEWS, type Navigate, type Route, viewLink } from "../route";
import { useTheme } from "../theme";
import { SearchBox } from "./SearchBox";

const NAMES: Record<View, string> = {
  overview: "Overview",
  explore: "Explore",
  trends: "Trends",
  compare: "Compare",
  facets: "Facets",
  monitoring: "Monitoring",
  method: "Method",
  safety: "Safety",
};

interface Props {
  route: Route;
  navigate: Navigate;
}

/** The way to every view, the search and the theme. */
export function Header({ route, navigate }: Props) {
  const [theme, toggle] = useTheme();
  const { role } = useServing();
  return (
    <header class="site-header">
      <a class="brand" href={viewLink("overview", route.facet)}>
        <span class="brand-mark" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        Clio
      </a>
      <nav class="views" aria-label="Views">
        {VIEWS.filter((view) => view !== "safety" || role === "safety").map((view) => (
          <a
            key={view}
            href={viewLink(view, route.facet)}
            aria-current={view === route.view ? "page" : undefined}
          >
            {NAMES[view]}
            {view === "method" && <span class="views-more"> and privacy</span>}
          </a>
        ))}
      </nav>
      <SearchBox query={route.query} navigate={navigate} />
      <button
        type="button"
        class="theme"
        onClick={toggle}
        aria-label={theme === "dark" ? "Use light colours" : "Use dark colours"}
        title={theme === "dark" ? "Use light colours" : "Use dark colours"}
      >
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.6" />
          <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
        </svg>
      </button>
    </header>
  );
}

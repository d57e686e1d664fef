import { fetchRelease } from "./api";
import { Header } from "./components/Header";
import { Loading, Notice } from "./components/Notice";
import { useResource } from "./resource";
import { useRoute } from "./route";
import { Compare } from "./views/compare/Compare";
import { Explore } from "./views/explore/Explore";
import { Facets } from "./views/facets/Facets";
import { Method } from "./views/method/Method";
import { Monitoring } from "./views/monitoring/Monitoring";
import { Overview } from "./views/overview/Overview";
import { Safety } from "./views/safety/Safety";
import { Trends } from "./views/trends/Trends";

const VIEW = {
  overview: Overview,
  explore: Explore,
  trends: Trends,
  compare: Compare,
  facets: Facets,
  monitoring: Monitoring,
  method: Method,
  safety: Safety,
};

export function App() {
  const [route, navigate] = useRoute();
  const release = useResource("release", fetchRelease);

  if (release.error) {
    return (
      <main class="lone">
        <Notice kind="error" title="The release could not be loaded">
          {release.error.message}
        </Notice>
      </main>
    );
  }
  if (!release.data) {
    return (
      <main class="lone">
        <Loading lines={6} />
      </main>
    );
  }
  const { info } = release.data;
  const View = VIEW[route.view];
  return (
    <>
      <button
        type="button"
        class="skip"
        onClick={() => document.getElementById("content")?.focus()}
      >
        Skip to content
      </button>
      {!info.publishable && (
        <div class="banner" role="note">
          <strong>Not anonymous, do not share.</strong> This release was made with the preset{" "}
          <q>{info.preset}</q>, for one’s own conversations.
        </div>
      )}
      <Header route={route} navigate={navigate} />
      {info.facets.length === 0 && route.view !== "method" && route.view !== "safety" ? (
        <main class="lone" id="content" tabIndex={-1}>
          <Notice kind="withheld" title="Nothing is released">
            No group of conversations passed the privacy thresholds. A larger corpus, or the preset{" "}
            <q>personal</q> for your own conversations, would show something.
          </Notice>
        </main>
      ) : (
        <View release={release.data} route={route} navigate={navigate} />
      )}
    </>
  );
}

import { fetchRelease } from "./api";
import { Header } from "./components/Header";
import { Notice } from "./components/Notice";
import { useResource } from "./resource";
import { useRoute } from "./route";
import { Explore } from "./views/explore/Explore";

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
  if (!release.data) return <main class="lone quiet">Loading…</main>;
  return (
    <>
      {!release.data.info.publishable && (
        <div class="banner" role="note">
          <strong>Not anonymous, do not share.</strong> This release was made with the preset{" "}
          <q>{release.data.info.preset}</q>, for one’s own conversations.
        </div>
      )}
      <Header release={release.data} />
      {release.data.info.facets.length === 0 ? (
        <main class="lone">
          <Notice kind="empty" title="Nothing is released">
            No group of conversations passed the privacy thresholds. A larger corpus, or the preset{" "}
            <q>personal</q> for your own conversations, would show something.
          </Notice>
        </main>
      ) : (
        <Explore release={release.data} route={route} navigate={navigate} />
      )}
    </>
  );
}

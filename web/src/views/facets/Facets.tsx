/** How a facet is distributed, and which clusters have more or less of it than overall. */

import {
  type Dimension,
  type Dimensions,
  type ReleaseResponse,
  fetchDimensions,
} from "../../api";
import { type Bar, Bars } from "../../components/Bars";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice, Section, View } from "../../components/View";
import { count, counted, name } from "../../format";
import { useResource } from "../../resource";
import type { Navigate, Route } from "../../route";
import { ordered, valueName } from "../../values";
import { HeatMap } from "./HeatMap";

const MOST_BARS = 20;

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Facets(props: Props) {
  const { release, route, navigate } = props;
  const { facet } = route;
  const found = useResource(`dimensions ${facet}`, (signal) => fetchDimensions(facet, signal));
  return (
    <View
      title="Facets"
      lead="How conversations are distributed, and in which clusters something is more or less frequent than overall."
    >
      <FacetChoice info={release.info} route={route} navigate={navigate} />
      {found.error ? (
        <Notice kind="error" title="The facets could not be loaded">
          {found.error.message}
        </Notice>
      ) : !found.data ? (
        <Loading lines={8} />
      ) : (
        <Chosen {...props} found={found.data} />
      )}
    </View>
  );
}

function Chosen({ release, route, navigate, found }: Props & { found: Dimensions }) {
  const first = found.dimensions[0];
  if (!first) {
    return (
      <Notice kind="withheld" title="No breakdown is released">
        Either none was asked for, or every cell was too few to show.
      </Notice>
    );
  }
  const chosen = found.dimensions.find((d) => d.dimension === route.dimension) ?? first;
  const levels = release.info.facets.find((f) => f.name === found.facet)?.clusters ?? [];
  const top = Math.max(0, levels.length - 1);
  const title = name(chosen.dimension);
  return (
    <>
      <div class="tabs" role="group" aria-label="Facet">
        {found.dimensions.map(({ dimension }) => (
          <button
            key={dimension}
            type="button"
            aria-pressed={dimension === chosen.dimension}
            onClick={() => navigate({ dimension })}
          >
            {name(dimension)}
          </button>
        ))}
      </div>
      {route.dimension !== null && route.dimension !== chosen.dimension && (
        <Notice kind="warning" title="This release has no such facet">
          The first one is shown instead.
        </Notice>
      )}
      <Section
        title={title}
        lead={`Share of all ${counted(found.conversations, "conversation")}`}
      >
        <div class="card columns">
          <Bars bars={bars(chosen, found.conversations)} describe={`${title} by share`} />
        </div>
      </Section>
      <Section
        title={`${title} by cluster`}
        lead="How many times as frequent as overall. Coloured only where the 95 % interval of the share, by account, leaves out the overall share."
      >
        {levels.length > 1 && (
          <label class="choice">
            Rows
            <select
              value={route.level ?? top}
              onChange={(event) => {
                const level = Number(event.currentTarget.value);
                navigate({ level: level === top ? null : level });
              }}
            >
              {levels.map((n, level) => (
                <option key={level} value={level}>
                  {level === top ? "Broadest" : level === 0 ? "Finest" : `Level ${level}`}:{" "}
                  {counted(n, "cluster")}
                </option>
              )).reverse()}
            </select>
          </label>
        )}
        <HeatMap
          key={`${found.facet} ${chosen.dimension} ${route.level}`}
          facet={route.facet}
          dimension={chosen.dimension}
          level={route.level ?? top}
        />
      </Section>
    </>
  );
}

function bars({ dimension, values, not_shown }: Dimension, conversations: number): Bar[] {
  const cells = ordered(dimension, values.slice(0, MOST_BARS));
  const shown: Bar[] = cells.map((cell) => ({
    key: `value ${cell.value}`,
    label: valueName(dimension, cell.value),
    share: cell.share,
    count: cell.conversations,
  }));
  const rest = values.slice(MOST_BARS);
  const restCount = rest.reduce((sum, cell) => sum + cell.conversations, 0);
  if (rest.length > 0) {
    shown.push({
      key: "rest",
      label: `${count(rest.length)} more, in the table below`,
      share: restCount / conversations,
      count: restCount,
      muted: true,
    });
  }
  if (not_shown > 0) {
    shown.push({
      key: "not shown",
      label: "Other (not shown)",
      share: not_shown / conversations,
      count: not_shown,
      muted: true,
    });
  }
  return shown;
}

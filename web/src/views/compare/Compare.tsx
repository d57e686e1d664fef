/** Two periods, two groups or two clusters side by side, the surest difference first. */

import { useMemo, useState } from "preact/hooks";
import {
  type CompareRow,
  type Comparison,
  type ReleaseResponse,
  type TreeNode,

  fetchComparison,
  fetchDimensions,
  fetchTree,
  fileAddress,
} from "../../api";
import { CompareChart } from "../../charts/CompareChart";
import { Loading, Notice } from "../../components/Notice";
import { FacetChoice, View } from "../../components/View";
import { counted, dayRange, name } from "../../format";
import { isCopy } from "../../live";
import { useResource } from "../../resource";
import { type Navigate, type Route, SLICES, type Slices } from "../../route";
import { sourceLine } from "../../source";
import { valueName } from "../../values";
import { ComparisonTable } from "./ComparisonTable";
import { ClusterSides, LevelChoice, PeriodSides, ValueSides } from "./Sides";
import { type Asked, askedOf } from "./asked";

const DRAWN = 16;
const NAMES: Record<Slices, string> = {
  periods: "Two periods",
  values: "Two groups",
  clusters: "Two clusters",
};

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

export function Compare({ release, route, navigate }: Props) {
  const { facet } = route;
  const { info } = release;
  const tree = useResource(`tree ${facet}`, (signal) => fetchTree(facet, signal));
  const found = useResource(`dimensions ${facet}`, (signal) => fetchDimensions(facet, signal));
  const failed = tree.error ?? found.error;
  return (
    <View
      title="Compare"
      lead="Two slices side by side. What differs most surely comes first; what may be chance is not coloured."
    >
      <FacetChoice info={info} route={route} navigate={navigate} />
      <div class="tabs" role="group" aria-label="What is compared">
        {SLICES.map((slices) => (
          <button
            key={slices}
            type="button"
            aria-pressed={slices === route.slices}
            onClick={() =>
              navigate({ slices, first: null, second: null, dimension: null, level: null })
            }
          >
            {NAMES[slices]}
          </button>
        ))}
      </div>
      {isCopy() ? (
        <Notice kind="empty" title="Not in a copy">
          Comparing is left to the running explorer: clio serve. The trends and facets of this copy
          show the same numbers.
        </Notice>
      ) : failed ? (
        <Notice kind="error" title="The clusters could not be loaded">
          {failed.message}
        </Notice>
      ) : tree.data && found.data ? (
        <Chosen
          {...{ release, route, navigate }}
          nodes={tree.data.nodes}
          asked={askedOf(route, info, tree.data.nodes, found.data)}
          dimensions={found.data}
        />
      ) : (
        <Loading lines={8} />
      )}
    </View>
  );
}

interface ChosenProps extends Props {
  nodes: TreeNode[];
  dimensions: import("../../api").Dimensions;
  asked: Asked | null;
}

function Chosen({ release, route, navigate, nodes, dimensions, asked }: ChosenProps) {
  const { facet, slices } = route;
  const answer = useResource(asked && `compare ${facet} ${JSON.stringify(asked)}`, (signal) =>
    fetchComparison(slices, { facet, ...asked?.parameters }, signal),
  );
  if (!asked) {
    return (
      <Notice kind={slices === "periods" ? "empty" : "withheld"} title="Nothing to compare">
        {slices === "periods"
          ? "These conversations bear no dates."
          : slices === "values"
            ? "No dimension of this release shows two values."
            : "This release shows fewer than two clusters."}
      </Notice>
    );
  }
  const sides = { asked, navigate };
  return (
    <>
      <div class="controls">
        {slices === "periods" && <PeriodSides {...sides} info={release.info} />}
        {slices === "values" && <ValueSides {...sides} dimensions={dimensions} />}
        {slices === "clusters" && <ClusterSides {...sides} nodes={nodes} />}
        {slices !== "clusters" && (
          <LevelChoice info={release.info} facet={facet} level={route.level} navigate={navigate} />
        )}
      </div>
      {answer.error ? (
        <Notice kind="error" title="They could not be compared">
          {answer.error.message}
        </Notice>
      ) : !answer.data ? (
        <Loading lines={8} />
      ) : (
        <div class={answer.loading ? "loading" : undefined} aria-busy={answer.loading}>
          <Found {...{ release, route, asked }} found={answer.data} />
        </div>
      )}
    </>
  );
}

/** What a side is called on the page. */
function sideName({ slices, dimension }: Route, asked: Asked, side: string): string {
  const by = dimension ?? asked.dimension ?? "";
  if (slices === "values") return `${name(by)}: ${valueName(by, side)}`;
  const [from, to] = side.split(" to ");
  return slices === "periods" && from && to ? dayRange(from, to) : side;
}

interface FoundProps {
  release: ReleaseResponse;
  route: Route;
  asked: Asked;
  found: Comparison;
}

function Found({ release, route, asked, found }: FoundProps) {
  const [onlySure, setOnlySure] = useState(false);
  const sure = useMemo(() => found.rows.filter((row) => row.sure).length, [found]);
  const [one, other] = found.sides;
  if (found.rows.length === 0 || !one || !other) {
    return (
      <Notice kind="withheld" title="Nothing can be compared">
        On either side everything is withheld: too few conversations.
      </Notice>
    );
  }
  const names: [string, string] = [
    sideName(route, asked, one.name),
    sideName(route, asked, other.name),
  ];
  const nameOf = (row: CompareRow) =>
    row.dimension === null
      ? row.title
      : `${name(row.dimension)}: ${valueName(row.dimension, row.title)}`;
  const rows = onlySure ? found.rows.filter((row) => row.sure) : found.rows;
  const csv = fileAddress(`compare/${route.slices}`, {
    facet: route.facet,
    ...asked.parameters,
    format: "csv",
  });
  return (
    <>
      <ul class="sides">
        {[one, other].map((side, i) => (
          <li key={i}>
            <i class={i === 0 ? "legend-first" : "legend-last"} aria-hidden="true" />
            <b dir="auto">{names[i]}</b>
            <span class="quiet">
              {counted(side.conversations, "conversation")}
              {side.accounts ? `, at least ${counted(side.accounts, "account")}` : ""}
            </span>
          </li>
        ))}
      </ul>
      <p role="status">
        {sure === 0 ? (
          "No difference is sure: all of them may be chance."
        ) : (
          <>
            <b>{counted(sure, "difference")}</b> of {found.rows.length} {sure === 1 ? "is" : "are"}{" "}
            sure
          </>
        )}
        {found.withheld > 0 && (
          <span class="quiet">
            ; {found.withheld} left out, withheld on one side: too few conversations
          </span>
        )}
      </p>
      <CompareChart
        rows={rows.slice(0, DRAWN)}
        sides={names}
        nameOf={nameOf}
        source={sourceLine(release.info)}
        actions={
          csv && (
            <a href={csv} download>
              Save as CSV
            </a>
          )
        }
      />
      {sure > 0 && sure < found.rows.length && (
        <label class="check">
          <input
            type="checkbox"
            checked={onlySure}
            onChange={(event) => setOnlySure(event.currentTarget.checked)}
          />
          Only sure differences
        </label>
      )}
      <ComparisonTable rows={rows} names={names} nameOf={nameOf} facet={route.facet} />
      <p class="quiet">
        Intervals count accounts, not conversations. A difference is called sure where it stands
        among {counted(found.rows.length, "comparison")} with at most one in twenty such by chance
        (Benjamini and Hochberg).
        {route.slices === "periods" &&
          " Periods are summed as if accounts did not return; where they do, intervals are somewhat wider."}
      </p>
    </>
  );
}

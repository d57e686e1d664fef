/** Choosing what is compared. */

import type { Dimensions, ReleaseInfo, TreeNode } from "../../api";
import { counted, name } from "../../format";
import type { Navigate } from "../../route";
import { valueName } from "../../values";
import { Picker } from "../trends/Picker";
import { type Asked, daysOf } from "./asked";

interface Props {
  asked: Asked;
  navigate: Navigate;
}

export function PeriodSides({ asked, navigate, info }: Props & { info: ReleaseInfo }) {
  const sides = [
    { side: "first", label: "Before", days: daysOf(asked.first) },
    { side: "second", label: "After", days: daysOf(asked.second) },
  ] as const;
  return (
    <>
      {sides.map(({ side, label, days }) => (
        <fieldset class="days" key={side}>
          <legend>{label}</legend>
          {([0, 1] as const).map((end) => (
            <input
              key={end}
              type="date"
              aria-label={`${label}: ${end === 0 ? "from" : "to"}`}
              min={info.period?.first}
              max={info.period?.last}
              value={days?.[end]}
              onChange={(event) => {
                const day = event.currentTarget.value;
                if (!days || !day) return;
                const [from, to] = end === 0 ? [day, days[1]] : [days[0], day];
                if (from <= to) navigate({ [side]: `${from}..${to}` });
              }}
            />
          ))}
        </fieldset>
      ))}
    </>
  );
}

export function ValueSides({ asked, navigate, dimensions }: Props & { dimensions: Dimensions }) {
  const several = dimensions.dimensions.filter(({ values }) => values.length > 1);
  const chosen = several.find(({ dimension }) => dimension === asked.dimension);
  const sides = [
    { side: "first", label: "First", value: asked.first },
    { side: "second", label: "Second", value: asked.second },
  ] as const;
  return (
    <>
      <label class="choice">
        Groups by
        <select
          value={asked.dimension ?? ""}
          onChange={(event) =>
            navigate({ dimension: event.currentTarget.value, first: null, second: null })
          }
        >
          {several.map(({ dimension }) => (
            <option key={dimension} value={dimension}>
              {name(dimension)}
            </option>
          ))}
        </select>
      </label>
      {sides.map(({ side, label, value }) => (
        <label class="choice" key={side}>
          {label}
          <select
            value={value}
            onChange={(event) =>
              navigate({
                dimension: asked.dimension,
                first: asked.first,
                second: asked.second,
                [side]: event.currentTarget.value,
              })
            }
          >
            {chosen?.values.map((one) => (
              <option key={one.value} value={one.value}>
                {valueName(chosen.dimension, one.value)}
              </option>
            ))}
          </select>
        </label>
      ))}
    </>
  );
}

export function ClusterSides({ asked, navigate, nodes }: Props & { nodes: TreeNode[] }) {
  const sides = [
    { side: "first", label: "First cluster" },
    { side: "second", label: "Second cluster" },
  ] as const;
  return (
    <>
      {sides.map(({ side, label }) => (
        <Picker
          key={side}
          nodes={nodes}
          picked={[asked.first, asked.second]}
          full={false}
          label={label}
          pick={(id) => navigate({ first: asked.first, second: asked.second, [side]: id })}
        />
      ))}
    </>
  );
}

interface LevelProps {
  info: ReleaseInfo;
  facet: string | null;
  level: number | null;
  navigate: Navigate;
}

export function LevelChoice({ info, facet, level, navigate }: LevelProps) {
  const levels = info.facets.find((one) => one.name === facet || (!facet && one.primary))?.clusters;
  if (!levels || levels.length < 2) return null;
  const top = levels.length - 1;
  return (
    <label class="choice">
      Clusters
      <select
        value={level ?? top}
        onChange={(event) => {
          const chosen = Number(event.currentTarget.value);
          navigate({ level: chosen === top ? null : chosen });
        }}
      >
        {levels
          .map((n, one) => (
            <option key={one} value={one}>
              {one === top ? "Broadest" : one === 0 ? "Finest" : `Level ${one}`}:{" "}
              {counted(n, "cluster")}
            </option>
          ))
          .reverse()}
      </select>
    </label>
  );
}

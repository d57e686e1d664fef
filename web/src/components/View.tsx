import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ReleaseInfo } from "../api";
import { name } from "../format";
import type { Navigate, Route } from "../route";

let arrived = false;

/** Whether the page has shown anything before: only then a new heading takes the focus. */
export function arrive(): boolean {
  const before = arrived;
  arrived = true;
  return before;
}

interface Props {
  title: string;
  lead?: ComponentChildren;
  children: ComponentChildren;
}

/** A view with its heading, where reading goes on after a link led here. */
export function View({ title, lead, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Clio`;
    if (arrive()) heading.current?.focus();
  }, []);
  return (
    <main class="view" id="content" tabIndex={-1}>
      <div class="view-head">
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {lead && <p class="summary">{lead}</p>}
      </div>
      {children}
    </main>
  );
}

export function Section({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section>
      <h2>{title}</h2>
      {lead && <p class="quiet">{lead}</p>}
      {children}
    </section>
  );
}

interface FacetProps {
  info: ReleaseInfo;
  route: Route;
  navigate: Navigate;
}

/** Which of several clustered facets is looked at; nothing where there is one. */
export function FacetChoice({ info, route, navigate }: FacetProps) {
  if (info.facets.length < 2) return null;
  const primary = info.facets.find((facet) => facet.primary)?.name ?? "";
  return (
    <label class="choice">
      Clustered by
      <select
        value={route.facet ?? primary}
        onChange={(event) => {
          const facet = event.currentTarget.value;
          navigate({
            facet: facet === primary ? null : facet,
            cluster: "__root__",
            picked: [],
            dimension: null,
            level: null,
          });
        }}
      >
        {info.facets.map((facet) => (
          <option key={facet.name} value={facet.name}>
            {name(facet.name)}
          </option>
        ))}
      </select>
    </label>
  );
}

import type { ComponentChildren } from "preact";

interface Props {
  kind: "empty" | "error" | "warning" | "withheld";
  title: string;
  children?: ComponentChildren;
}

/** Tells that there is nothing to show, that it is withheld, or what went wrong. */
export function Notice({ kind, title, children }: Props) {
  return (
    <div class={`notice notice-${kind}`} role={kind === "error" ? "alert" : undefined}>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

/** The place of what is being loaded. */
export function Loading({ lines }: { lines: number }) {
  return (
    <div class="skeleton">
      <span class="hidden">Loading…</span>
      {Array.from({ length: lines }, (_, i) => (
        <i key={i} />
      ))}
    </div>
  );
}

import type { ComponentChildren } from "preact";

interface Props {
  kind: "empty" | "error" | "warning";
  title: string;
  children?: ComponentChildren;
}

/** Tells that there is nothing to show, that something went wrong, or what to beware of. */
export function Notice({ kind, title, children }: Props) {
  return (
    <div class={`notice notice-${kind}`} role={kind === "error" ? "alert" : undefined}>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

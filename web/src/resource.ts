/** Loading what a view shows, with what it showed before kept until the answer is there. */

import { useEffect, useState } from "preact/hooks";

export interface Resource<T> {
  data: T | null;
  error: Error | null;
  loading: boolean;
}

/** Answers by key, the last used at the end. A release never changes, so they stay right. */
const kept = new Map<string, unknown>();
const KEPT = 60;

function keep(key: string, data: unknown): void {
  kept.delete(key);
  kept.set(key, data);
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
}

/**
 * Result of `load`, loaded again when `key` changes; a null key loads nothing. The key stands for
 * the answer on the whole page. An answer that was overtaken by a later key is aborted and never
 * shown.
 */
export function useResource<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const known = key === null ? undefined : (kept.get(key) as T | undefined);
  const [state, setState] = useState<Resource<T>>({ data: null, error: null, loading: true });

  useEffect(() => {
    if (key === null) {
      setState({ data: null, error: null, loading: false });
      return;
    }
    if (known !== undefined) {
      keep(key, known);
      setState({ data: known, error: null, loading: false });
      return;
    }
    const controller = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(controller.signal).then(
      (data) => {
        if (controller.signal.aborted) return;
        keep(key, data);
        setState({ data, error: null, loading: false });
      },
      (error: Error) => {
        if (!controller.signal.aborted) setState({ data: null, error, loading: false });
      },
    );
    return () => controller.abort();
    // `load` closes over what `key` stands for.
  }, [key]);

  return known === undefined ? state : { data: known, error: null, loading: false };
}

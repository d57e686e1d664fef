/** Loading what a view shows, with what it showed before kept until the answer is there. */

import { useEffect, useState } from "preact/hooks";

export interface Resource<T> {
  data: T | null;
  error: Error | null;
  loading: boolean;
}

/**
 * Result of `load`, loaded again when `key` changes; a null key loads nothing.
 * An answer that was overtaken by a later key is aborted and never shown.
 */
export function useResource<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const [state, setState] = useState<Resource<T>>({ data: null, error: null, loading: true });

  useEffect(() => {
    if (key === null) {
      setState({ data: null, error: null, loading: false });
      return;
    }
    const controller = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ data, error: null, loading: false });
      },
      (error: Error) => {
        if (!controller.signal.aborted) setState({ data: null, error, loading: false });
      },
    );
    return () => controller.abort();
    // `load` closes over what `key` stands for.
  }, [key]);

  return state;
}

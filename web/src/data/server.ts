/** A running server, asked as one goes. */

import { ApiError } from "./errors";
import type { Parameters, Source } from "./source";

/** Address of an answer of the API, relative to the page. */
function address(path: string, parameters: Parameters): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) given.append(name, String(one));
  }
  return `api/v1/${path}${given.size > 0 ? `?${given}` : ""}`;
}

export const server: Source = {
  async answer(path, parameters, signal) {
    let response: Response;
    try {
      response = await fetch(address(path, parameters), { signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new ApiError(0, "The server does not answer. Is it still running?");
    }
    const body: unknown = await response.json().catch(() => null);
    // A body that was cut off because nobody waits for it is no answer.
    signal.throwIfAborted();
    if (response.ok && body === null) {
      throw new ApiError(response.status, "The server’s answer could not be read.");
    }
    if (!response.ok) {
      const said = (body as { error?: { message?: string } } | null)?.error?.message;
      throw new ApiError(response.status, said ?? `The server answered ${response.status}.`);
    }
    return body;
  },
  file: address,
};

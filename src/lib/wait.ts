/** Waiting that always ends: by time, by condition or by an abort signal. */

/** Resolves after `ms`, or at once when the signal aborts; it never rejects, so callers look at the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(finish, ms);
    signal?.addEventListener("abort", finish, { once: true });
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    }
  });
}

export type WaitOptions = {
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
};

/**
 * Asks `probe` until it gives something other than undefined, false or null, and returns that; undefined
 * when the deadline or the signal came first.
 */
export async function waitFor<T>(
  probe: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  options: WaitOptions,
): Promise<T | undefined> {
  const end = performance.now() + options.timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (options.signal?.aborted || performance.now() >= end) return undefined;
    await sleep(options.everyMs ?? 20, options.signal);
  }
}

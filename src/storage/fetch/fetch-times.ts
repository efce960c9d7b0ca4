/** How long fetching waits for what, where it isn't a test. */

import type { FetchOptions } from "./fetch-image.ts";

/** What whoever wants a file says; the rest is the storage's. */
export type FetchRequest = Pick<FetchOptions, "url" | "path" | "onProgress">;

export const FETCH_TIMES = {
  stallSeconds: 30,
  // With the retries' back-off: a server may be away for a quarter of an hour.
  mostTries: 20,
  firstRetryMs: 1_000,
} as const satisfies Partial<FetchOptions>;

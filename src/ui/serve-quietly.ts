/**
 * How a server of pages meets what its pages never see. Left to itself, Bun answers an error with a page of 50 kB that
 * shows our source and our folders; a `Host` that is none, from anybody, is enough to make one.
 */

import type { Log } from "../lib/log.ts";

/** Options of Bun.serve: whatever fails is logged, and its asker learns nothing. */
export function serveQuietly(log: Log) {
  return {
    development: false,
    error(error: Error): Response {
      log.error("request-failed", { error });
      return new Response(null, { status: 500 });
    },
  } as const;
}

/** What to answer to a request without an address that can be read; undefined where it has one. */
export function refuseNoAddress(request: Request): Response | undefined {
  return URL.canParse(request.url) ? undefined : new Response(null, { status: 400 });
}

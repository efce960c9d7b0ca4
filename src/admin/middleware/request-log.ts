/** One log line a request: what was asked by whom, how it ended, how long it took. Never query strings or bodies. */

import type { MiddlewareHandler } from "hono";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { AdminEnv } from "../env.ts";

export function requestLog(log: Log, clock: Clock): MiddlewareHandler<AdminEnv> {
  return async function logRequest(c, next) {
    const began = clock.monotonicMs();
    await next();
    if (c.req.path.startsWith("/static/")) return;
    log.info("request-answered", {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      tookMs: Math.round(clock.monotonicMs() - began),
      address: c.env?.address,
      login: c.get("signedIn")?.actor.login,
    });
  };
}

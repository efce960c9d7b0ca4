import type { MiddlewareHandler } from "hono";
import { setPageHeaders } from "../../ui/page-headers.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { portalOrigin } from "../portal-origin.ts";

export function securityHeaders(deps: Pick<AdminDeps, "portal">): MiddlewareHandler<AdminEnv> {
  return async function setSecurityHeaders(c, next) {
    await next();
    setPageHeaders(c.res.headers, {
      images: "'self'",
      // A button that opens a screen posts here, and is sent on to the QVD port.
      forms: `'self' ${portalOrigin(deps, c.req.url)}`,
      permissions: "camera=(), microphone=(), geolocation=()",
    });
  };
}

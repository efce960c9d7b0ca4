/** What users' pages may do besides showing themselves. */

import type { MiddlewareHandler } from "hono";
import { setPageHeaders } from "../../ui/page-headers.ts";
import type { GatewayEnv } from "./env.ts";

const RULES = {
  // noVNC paints pictures of the desktop from memory, and its pointer is one of them.
  images: "'self' data: blob:",
  forms: "'self'",
  permissions:
    "camera=(), microphone=(self), geolocation=(), clipboard-read=(self), clipboard-write=(self), fullscreen=(self)",
};

export function gatewayHeaders(): MiddlewareHandler<GatewayEnv> {
  return async function setHeaders(c, next) {
    await next();
    setPageHeaders(c.res.headers, RULES);
  };
}

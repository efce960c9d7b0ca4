/**
 * Headers that tell the browser what a page of ours never does. No HSTS: it would bind every port of the
 * host, also services that are not ours.
 */

import type { MiddlewareHandler } from "hono";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { portalOrigin } from "../portal-origin.ts";

const policyOf = (portal: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    // A button that opens a screen posts here, and is sent on to the QVD port.
    `form-action 'self' ${portal}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

const HEADERS: readonly (readonly [string, string])[] = [
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Permissions-Policy", "camera=(), microphone=(), geolocation=()"],
];

export function securityHeaders(deps: Pick<AdminDeps, "portal">): MiddlewareHandler<AdminEnv> {
  return async function setSecurityHeaders(c, next) {
    await next();
    c.res.headers.set("Content-Security-Policy", policyOf(portalOrigin(deps, c.req.url)));
    for (const [name, value] of HEADERS) c.res.headers.set(name, value);
    // Pages show who may see what; only the assets, named by their content, may be kept.
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  };
}

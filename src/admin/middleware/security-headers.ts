/**
 * Headers that tell the browser what a page of ours never does. No HSTS: it would bind every port of the
 * host, also services that are not ours.
 */

import type { MiddlewareHandler } from "hono";
import type { AdminEnv } from "../env.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: readonly (readonly [string, string])[] = [
  ["Content-Security-Policy", POLICY],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Permissions-Policy", "camera=(), microphone=(), geolocation=()"],
];

export function securityHeaders(): MiddlewareHandler<AdminEnv> {
  return async function setSecurityHeaders(c, next) {
    await next();
    for (const [name, value] of HEADERS) c.res.headers.set(name, value);
    // Pages show who may see what; only the assets, named by their content, may be kept.
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  };
}

/** Headers that tell the browser what a page of users' never does. */

import type { MiddlewareHandler } from "hono";
import type { GatewayEnv } from "./env.ts";

/** noVNC paints pictures of the desktop from memory, and its pointer is one of them. */
const IMAGES = "img-src 'self' data: blob:";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  IMAGES,
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
  [
    "Permissions-Policy",
    "camera=(), microphone=(self), geolocation=(), clipboard-read=(self), clipboard-write=(self), fullscreen=(self)",
  ],
];

export function gatewayHeaders(): MiddlewareHandler<GatewayEnv> {
  return async function setHeaders(c, next) {
    await next();
    for (const [name, value] of HEADERS) c.res.headers.set(name, value);
    // Only the assets, named by their content, may be kept.
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  };
}

/**
 * Refuses changes that a page of somebody else's asked for: the browser must say that the request is of our
 * own origin, and the request must carry the session's token (field `csrf`, or header `X-CSRF-Token` where
 * the body is not a form). Either would do; both stand because each has had its holes.
 */

import type { MiddlewareHandler } from "hono";
import { requireOwnOrigin as requireOwnRequest, requireToken } from "../../ui/forgery.ts";
import { CSRF_FIELD } from "../../ui/form.tsx";
import type { AdminContext, AdminEnv } from "../env.ts";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
export const CSRF_HEADER = "X-CSRF-Token";

export function csrf(): MiddlewareHandler<AdminEnv> {
  return async function checkCsrf(c, next) {
    if (!SAFE_METHODS.has(c.req.method)) {
      requireOwnOrigin(c);
      requireToken(await readToken(c), c.get("signedIn").csrfToken);
    }
    await next();
  };
}

/** Throws `forbidden` unless the browser says that a page of ours sent this. */
export function requireOwnOrigin(c: AdminContext): void {
  requireOwnRequest(c.req.raw);
}

export { requireToken };

async function readToken(c: AdminContext): Promise<string | undefined> {
  const header = c.req.header(CSRF_HEADER);
  if (header !== undefined) return header;
  // An upload, of any size: its token comes in the header, or it has none.
  if (c.req.method === "PUT") return undefined;
  const type = c.req.header("Content-Type") ?? "";
  if (!/^(application\/x-www-form-urlencoded|multipart\/form-data)/i.test(type)) return undefined;
  const field = (await c.req.parseBody())[CSRF_FIELD];
  return typeof field === "string" ? field : undefined;
}

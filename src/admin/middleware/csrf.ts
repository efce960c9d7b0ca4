/**
 * Refuses changes that a page of somebody else's asked for: the browser must say that the request is of our
 * own origin, and the request must carry the session's token (field `csrf`, or header `X-CSRF-Token` where
 * the body is not a form). Either would do; both stand because each has had its holes.
 */

import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { AppError } from "../../lib/errors.ts";
import type { AdminContext, AdminEnv } from "../env.ts";
import { CSRF_FIELD } from "../ui/form.tsx";

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
  const site = c.req.header("Sec-Fetch-Site");
  const origin = c.req.header("Origin");
  const isOwn = site !== undefined ? site === "same-origin" : origin !== undefined && isOwnHost(c, origin);
  if (!isOwn)
    throw new AppError("forbidden", "This was not sent by a page of this server, so it was not done.");
}

/** Throws `forbidden` unless both are the same token. */
export function requireToken(given: string | undefined, expected: string | undefined): void {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(expected ?? "")];
  const isSame = one.length > 0 && one.length === other.length && timingSafeEqual(one, other);
  if (!isSame) {
    throw new AppError(
      "forbidden",
      "This form is from an earlier sign-in. Go back, reload the page and try again.",
    );
  }
}

function isOwnHost(c: AdminContext, origin: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host;
}

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

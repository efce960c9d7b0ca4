/** Pages are for those who are signed in: by cookie in the browser. Others are sent to the sign-in page. */

import type { MiddlewareHandler } from "hono";
import type { Db } from "../../db/client.ts";
import { AppError } from "../../lib/errors.ts";
import { findSignIn } from "../../service/sign-in/find.ts";
import { clearSessionToken, readSessionToken } from "../cookies.ts";
import type { AdminContext, AdminEnv } from "../env.ts";

export function requireSession(db: Db): MiddlewareHandler<AdminEnv> {
  return async function findSession(c, next) {
    const token = readSessionToken(c);
    const found = token === undefined ? undefined : await findSignIn(db, token);
    if (token === undefined || found === undefined) return refuse(c, token);
    c.set("signedIn", { actor: found.actor, csrfToken: found.csrfToken, token });
    await next();
  };
}

function refuse(c: AdminContext, token: string | undefined): Response {
  if (token !== undefined) clearSessionToken(c);
  const place = `/sign-in?next=${encodeURIComponent(wantedPage(c))}`;
  // htmx would follow a redirect into the fragment; this makes the browser go there.
  if (c.req.header("HX-Request")) return c.body(null, 200, { "HX-Redirect": place });
  const accepts = c.req.header("Accept") ?? "";
  if (accepts.includes("text/html") || accepts === "" || accepts === "*/*") return c.redirect(place, 303);
  throw new AppError("not-signed-in", "Your sign-in is over. Reload the page to sign in again.");
}

/** Where to go after signing in: the page that was asked for, or the one that a button or a region stands on. */
function wantedPage(c: AdminContext): string {
  const asked = new URL(c.req.url);
  const isFragment = c.req.header("HX-Request") !== undefined;
  if (c.req.method === "GET" && !isFragment) return asked.pathname + asked.search;
  const from = c.req.header("HX-Current-URL") ?? c.req.header("Referer") ?? "";
  if (!URL.canParse(from)) return "/";
  const { host, pathname, search } = new URL(from);
  return host === asked.host ? pathname + search : "/";
}

/** The API is for those who hold a token. Cookies count for nothing here, so no page can use them against their owner. */

import type { MiddlewareHandler } from "hono";
import type { Db } from "../../db/client.ts";
import { AppError } from "../../lib/errors.ts";
import { findSignIn } from "../../service/sign-in/find.ts";
import type { AdminEnv } from "../env.ts";

export function requireBearer(db: Db): MiddlewareHandler<AdminEnv> {
  return async function findBearer(c, next) {
    const token = /^Bearer ([^\s]{1,128})$/.exec(c.req.header("Authorization") ?? "")?.[1];
    const found = token === undefined ? undefined : await findSignIn(db, token);
    if (token === undefined || found === undefined) {
      throw new AppError(
        "not-signed-in",
        "Sign in first: POST /api/v1/sign-in gives the token for `Authorization: Bearer`.",
      );
    }
    c.set("signedIn", { actor: found.actor, csrfToken: found.csrfToken, token });
    await next();
  };
}

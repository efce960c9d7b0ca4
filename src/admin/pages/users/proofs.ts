/** POST /users/:id/second-factor/reset and /users/:id/tokens/:token/revoke */

import type { Handler } from "hono";
import { listUserTokens } from "../../../db/queries/user-tokens.ts";
import { parseId, type TokenId } from "../../../domain/ids.ts";
import { AppError } from "../../../lib/errors.ts";
import { revokeToken } from "../../../service/token/revoke.ts";
import { resetUserSecondFactor } from "../../../service/user/reset-second-factor.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { readUserOf } from "./read.ts";

export function resetSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function reset(c) {
    const { id: userId } = await readUserOf(deps, c);
    const done = "The second factor is gone; the password alone counts.";
    return executeAndReturn(c, { fallback: `/users/${userId}`, done }, async () => {
      await resetUserSecondFactor(contextOf(deps, c), { userId });
      deps.live.notice();
    });
  };
}

export function revokeUserToken(deps: AdminDeps): Handler<AdminEnv> {
  return async function revoke(c) {
    const { id: userId } = await readUserOf(deps, c);
    const done = "The token opens nothing more. Sessions that it began go on.";
    return executeAndReturn(c, { fallback: `/users/${userId}`, done }, async () => {
      const tokenId = parseId<TokenId>(c.req.param("token") ?? "");
      const [row] = tokenId === undefined ? [] : await listUserTokens(deps.db, { userId, tokenId });
      if (row === undefined) throw new AppError("not-found", "this token does not exist");
      await revokeToken(contextOf(deps, c), { tokenId: row.id });
      deps.live.notice();
    });
  };
}

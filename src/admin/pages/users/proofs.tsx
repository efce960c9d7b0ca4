/** GET and POST /users/:id/second-factor/reset, POST /users/:id/tokens/:token/revoke */

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
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { readUserOf } from "./read.ts";

export function showResetSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    const user = await readUserOf(deps, c);
    return renderPage(
      c,
      { title: `Reset the second factor of ${user.login}`, section: "users" },
      <Confirm
        title={`Reset the second factor of ${user.login}?`}
        back={{ href: `/users/${user.id}`, text: user.login }}
        action={`/users/${user.id}/second-factor/reset`}
        csrf={c.get("signedIn").csrfToken}
        label="Reset second factor"
        error={undefined}
      >
        <p>
          Their password alone counts then, and their recovery codes are gone. Where a second factor is
          required they set up a new one at their next sign-in in a browser.
        </p>
        <p>Make sure that it is they who ask: whoever has their password could ask as well.</p>
      </Confirm>,
    );
  };
}

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

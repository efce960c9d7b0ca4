/** /api/v1/users/:id/second-factor and /api/v1/users/:id/tokens: what proves a user besides their password. */

import type { Handler } from "hono";
import { readSecondFactorFacts } from "../../db/queries/second-factors.ts";
import { listUserTokens, type TokenRow } from "../../db/queries/user-tokens.ts";
import { readUser } from "../../db/queries/users.ts";
import { parseId, type TokenId, type UserId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { revokeToken } from "../../service/token/revoke.ts";
import { resetUserSecondFactor } from "../../service/user/reset-second-factor.ts";
import { setUserSecondFactor } from "../../service/user/set-second-factor.ts";
import { askSealedSecondFactor } from "../auth-administration.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext, AdminEnv } from "../env.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { pick, readJson, unparsed } from "./body.ts";
import type { TokenShape } from "./shapes.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiShowSecondFactor: Api = (deps) => async (c) => {
  const facts = await readSecondFactorFacts(deps.db, { userId: await visibleUser(deps, c) });
  return c.json(
    facts === undefined
      ? { isSetUp: false }
      : { isSetUp: true, since: facts.since.toISOString(), recoveryCodesLeft: facts.recoveryCodesLeft },
  );
};

export const apiSetSecondFactor: Api = (deps) => async (c) => {
  const userId = idParam<UserId>(c, "user");
  const fields = pick(await readJson(c), ["secret"]);
  const sealSecondFactor = (secret: string) => askSealedSecondFactor(deps, c, secret);
  await setUserSecondFactor(contextOf(deps, c), { sealSecondFactor }, unparsed({ ...fields, userId }));
  deps.live.notice();
  return c.body(null, 204);
};

export const apiResetSecondFactor: Api = (deps) => async (c) => {
  await resetUserSecondFactor(contextOf(deps, c), { userId: idParam<UserId>(c, "user") });
  deps.live.notice();
  return c.body(null, 204);
};

export const apiListTokens: Api = (deps) => async (c) => {
  const rows = await listUserTokens(deps.db, { userId: await visibleUser(deps, c) });
  return c.json({ items: rows.map(tokenShape) });
};

export const apiRevokeToken: Api = (deps) => async (c) => {
  const userId = await visibleUser(deps, c);
  const tokenId = parseId<TokenId>(c.req.param("token") ?? "");
  const [row] = tokenId === undefined ? [] : await listUserTokens(deps.db, { userId, tokenId });
  if (row === undefined) throw new AppError("not-found", "this token does not exist");
  await revokeToken(contextOf(deps, c), { tokenId: row.id });
  deps.live.notice();
  return c.body(null, 204);
};

async function visibleUser(deps: AdminDeps, c: AdminContext): Promise<UserId> {
  return found(await readUser(deps.db, idParam<UserId>(c, "user"), tenantOf(c)), "user").id;
}

function tokenShape(row: TokenRow): TokenShape {
  return {
    id: row.id,
    state: row.state,
    vm: row.vm,
    isMultiUse: row.isMultiUse,
    origin: row.origin,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    usedAt: row.usedAt?.toISOString() ?? null,
  };
}

/** /api/v1/users */

import type { Handler } from "hono";
import { listUsers, readUser } from "../../db/queries/users.ts";
import type { UserId } from "../../domain/ids.ts";
import { rehearse } from "../../service/rehearse.ts";
import { blockUser } from "../../service/user/block.ts";
import { changeUser } from "../../service/user/change.ts";
import { createUser } from "../../service/user/create.ts";
import { deleteUser } from "../../service/user/delete.ts";
import { setUserPassword } from "../../service/user/set-password.ts";
import { unblockUser } from "../../service/user/unblock.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { pick, readJson, unparsed } from "./body.ts";
import { answerPage, isTrial, readListQuery } from "./list.ts";
import { chooseTenant } from "./tenant.ts";
import { userShape } from "./to-shape.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListUsers: Api = (deps) => async (c) => {
  const query = readListQuery(c);
  const page = await listUsers(deps.db, { tenantId: tenantOf(c), search: query.search }, query);
  return answerPage(c, page, userShape);
};

export const apiShowUser: Api = (deps) => async (c) => {
  const user = await readUser(deps.db, idParam<UserId>(c, "user"), tenantOf(c));
  return c.json(userShape(found(user, "user")));
};

export const apiCreateUser: Api = (deps) => async (c) => {
  const body = await readJson(c);
  const tenantId = await chooseTenant(deps, c, body.tenant);
  const fields = pick(body, ["login", "fullName", "password", "qvd4Hash"]);
  const { userId } = await createUser(contextOf(deps, c), deps, unparsed({ ...fields, tenantId }));
  deps.live.notice();
  return c.json(userShape(found(await readUser(deps.db, userId), "user")), 201);
};

export const apiChangeUser: Api = (deps) => async (c) => {
  const userId = idParam<UserId>(c, "user");
  const fields = pick(await readJson(c), ["fullName"]);
  await changeUser(contextOf(deps, c), unparsed({ ...fields, userId }));
  deps.live.notice();
  return c.json(userShape(found(await readUser(deps.db, userId), "user")));
};

export const apiSetUserPassword: Api = (deps) => async (c) => {
  const userId = idParam<UserId>(c, "user");
  const fields = pick(await readJson(c), ["password"]);
  await setUserPassword(contextOf(deps, c), deps, unparsed({ ...fields, userId }));
  return c.body(null, 204);
};

const VERBS = { block: blockUser, unblock: unblockUser, delete: deleteUser } as const;

export function apiActOnUser(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  return async function executeVerb(c) {
    const userId = idParam<UserId>(c, "user");
    if (isTrial(c)) await rehearse(contextOf(deps, c), (inside) => VERBS[verb](inside, { userId }));
    else {
      await VERBS[verb](contextOf(deps, c), { userId });
      deps.live.notice();
    }
    return c.body(null, 204);
  };
}

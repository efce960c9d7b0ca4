/** /api/v1/administrators. They are created and given passwords by root of a box (`qvd administrator create`). */

import type { Handler } from "hono";
import { listAdministrators } from "../../db/queries/administrators.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { blockAdministrator } from "../../service/administrator/block.ts";
import { deleteAdministrator } from "../../service/administrator/delete.ts";
import { unblockAdministrator } from "../../service/administrator/unblock.ts";
import { rehearse } from "../../service/rehearse.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { answerPage, isTrial, pageOfAll, readListQuery } from "./list.ts";
import { administratorShape } from "./to-shape.ts";

export function apiListAdministrators(deps: AdminDeps): Handler<AdminEnv> {
  return async function sendAdministrators(c) {
    const query = readListQuery(c);
    const rows = await listAdministrators(deps.db, { tenantId: tenantOf(c), search: query.search });
    return answerPage(c, pageOfAll(rows, query), administratorShape);
  };
}

export function apiShowAdministrator(deps: AdminDeps): Handler<AdminEnv> {
  return async function sendAdministrator(c) {
    const id = idParam<AdministratorId>(c, "administrator");
    const [row] = await listAdministrators(deps.db, { tenantId: tenantOf(c), id });
    return c.json(administratorShape(found(row, "administrator")));
  };
}

const VERBS = {
  block: blockAdministrator,
  unblock: unblockAdministrator,
  delete: deleteAdministrator,
} as const;

export function apiActOnAdministrator(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  return async function executeVerb(c) {
    const administratorId = idParam<AdministratorId>(c, "administrator");
    if (isTrial(c)) await rehearse(contextOf(deps, c), (inside) => VERBS[verb](inside, { administratorId }));
    else await VERBS[verb](contextOf(deps, c), { administratorId });
    return c.body(null, 204);
  };
}

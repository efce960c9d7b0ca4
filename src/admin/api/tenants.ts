/** /api/v1/tenants: read only; a tenant is created by root of a box (`qvd tenant create`). */

import type { Handler } from "hono";
import { listTenantFacts } from "../../db/queries/tenants.ts";
import { parseId, type TenantId } from "../../domain/ids.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, tenantOf } from "../visible.ts";
import { answerPage, pageOfAll, readListQuery } from "./list.ts";
import { tenantShape } from "./to-shape.ts";

export function apiListTenants(deps: AdminDeps): Handler<AdminEnv> {
  return async function sendTenants(c) {
    const query = readListQuery(c);
    const all = await listTenantFacts(deps.db, tenantOf(c));
    const word = query.search.toLowerCase();
    const matching = all.filter(({ name }) => name.toLowerCase().includes(word));
    return answerPage(c, pageOfAll(matching, query), tenantShape);
  };
}

export function apiShowTenant(deps: AdminDeps): Handler<AdminEnv> {
  return async function sendTenant(c) {
    const id = parseId<TenantId>(c.req.param("id") ?? "");
    const all = await listTenantFacts(deps.db, tenantOf(c));
    return c.json(
      tenantShape(
        found(
          all.find((one) => one.id === id),
          "tenant",
        ),
      ),
    );
  };
}

/** What lists are limited to, and what of a thing's address is right: shared by pages and API. */

import { listTenants } from "../db/queries/tenants.ts";
import { isOfSite, visibleTenant } from "../domain/access/decide-access.ts";
import {
  type AdministratorId,
  type DiId,
  type NodeId,
  type OsfId,
  parseId,
  type SessionId,
  type TenantId,
  type UserId,
  type VmId,
} from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";

export function tenantOf(c: AdminContext): TenantId | undefined {
  return visibleTenant(c.get("signedIn").actor);
}

/** Whether lists must say whose a thing is: there are several tenants, and this administrator sees them. */
export async function seesTenants(deps: AdminDeps, c: AdminContext): Promise<boolean> {
  return tenantOf(c) === undefined && (await listTenants(deps.db)).length > 1;
}

/** Throws `forbidden` for administrators of one tenant: boxes are the site's. */
export function requireSite(c: AdminContext): void {
  if (!isOfSite(c.get("signedIn").actor)) {
    throw new AppError("forbidden", "Nodes belong to the site: only its own administrators see them.");
  }
}

/** The id in the address, or `not-found`: what isn't a number names nothing. */
export function idParam<Id extends AdministratorId | DiId | NodeId | OsfId | SessionId | UserId | VmId>(
  c: AdminContext,
  what: string,
): Id {
  const id = parseId<Id>(c.req.param("id") ?? "");
  if (id === undefined) throw new AppError("not-found", `There is no such ${what}.`);
  return id;
}

/** Of a desktop that the site need not know. */
export function strangerParam(c: AdminContext): VmId {
  const id = parseId<VmId>(c.req.param("vm") ?? "");
  if (id === undefined) throw new AppError("not-found", "There is no such desktop.");
  return id;
}

/** The row, or `not-found` where there is none that this administrator may see. */
export function found<Row>(row: Row | undefined, what: string): Row {
  if (row === undefined)
    throw new AppError("not-found", `There is no such ${what}. It may have been deleted.`);
  return row;
}

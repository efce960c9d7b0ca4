/** Whose settings an address means: `tenant` names a tenant, and without it they are the site's. */

import { listSettings } from "../db/queries/settings.ts";
import { findTenantByName, listTenants, type TenantRow } from "../db/queries/tenants.ts";
import { decideAccess, isOfSite } from "../domain/access/decide-access.ts";
import type { TenantId } from "../domain/ids.ts";
import { type ResolvedSetting, resolveSettings, SITE } from "../domain/setting/resolve.ts";
import { AppError } from "../lib/errors.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";
import { tenantOf } from "./visible.ts";

export type SettingScope = {
  /** Undefined for the site. */
  readonly tenantId: TenantId | undefined;
  readonly tenantName: string | undefined;
};

/** Administrators of a tenant mean their own; throws `not-found` for a tenant that they don't see. */
export async function readScope(
  deps: AdminDeps,
  c: AdminContext,
  wanted: string | undefined,
): Promise<SettingScope> {
  const own = tenantOf(c);
  if (wanted === undefined || wanted === "") {
    if (own === undefined) return { tenantId: undefined, tenantName: undefined };
    return { tenantId: own, tenantName: c.get("signedIn").actor.tenantName };
  }
  const tenant = await findTenantByName(deps.db, wanted);
  if (tenant === undefined || tenant.id <= 0 || (own !== undefined && tenant.id !== own))
    throw new AppError("not-found", `There is no tenant ${wanted}.`, { field: "tenant" });
  return { tenantId: tenant.id, tenantName: tenant.name };
}

export async function readSettings(
  deps: AdminDeps,
  scope: SettingScope,
): Promise<readonly ResolvedSetting[]> {
  const tenantId = scope.tenantId ?? SITE;
  return resolveSettings(await listSettings(deps.db, tenantId), tenantId);
}

/** Tenants among which this administrator may choose; none where there is nothing to choose. */
export async function listScopes(deps: AdminDeps, c: AdminContext): Promise<readonly TenantRow[]> {
  return isOfSite(c.get("signedIn").actor) ? await listTenants(deps.db) : [];
}

/** What acts with settings without changing them, such as trying a directory, needs the right to change them. */
export function requireSettingsRight(c: AdminContext, { tenantId }: SettingScope): void {
  const action = tenantId === undefined ? "setting.change-site" : "setting.change";
  const subject = tenantId === undefined ? {} : { tenantId };
  if (decideAccess(c.get("signedIn").actor, action, subject) === "allowed") return;
  throw new AppError("forbidden", "You may not change these settings, so you can't try them either.");
}

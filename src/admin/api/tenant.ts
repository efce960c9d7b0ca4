import { findTenantByName } from "../../db/queries/tenants.ts";
import type { TenantId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext } from "../env.ts";
import { tenantOf } from "../visible.ts";

/** Whose a new thing is: as named, else the administrator's own tenant, else `default`. */
export async function chooseTenant(deps: AdminDeps, c: AdminContext, name: unknown): Promise<TenantId> {
  const own = tenantOf(c);
  if (name === undefined && own !== undefined) return own;
  const wanted = name === undefined ? "default" : String(name);
  const tenant = await findTenantByName(deps.db, wanted);
  if (tenant === undefined || (own !== undefined && tenant.id !== own)) {
    throw new AppError("bad-input", `tenant ${wanted} does not exist`, { field: "tenant" });
  }
  return tenant.id;
}

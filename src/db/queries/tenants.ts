/** Tenants: those with users of their own, not the two special ones. */

import { asc, eq, gt } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { tenants } from "../schema/index.ts";

export type TenantRow = typeof tenants.$inferSelect;

/** At most 1000, by name; only `tenantId` when given. */
export async function listTenants(db: Db, tenantId?: TenantId): Promise<readonly TenantRow[]> {
  const which = tenantId === undefined ? gt(tenants.id, 0 as TenantId) : eq(tenants.id, tenantId);
  return await db.select().from(tenants).where(which).orderBy(asc(tenants.name)).limit(1000);
}

export async function findTenantByName(db: Db, name: string): Promise<TenantRow | undefined> {
  const [row] = await db.select().from(tenants).where(eq(tenants.name, name));
  return row;
}

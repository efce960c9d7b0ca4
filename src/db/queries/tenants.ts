/** Tenants: those with users of their own, not the two special ones. */

import { asc, eq, gt, sql } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { administrators, tenants, users, vms } from "../schema/index.ts";

export type TenantRow = typeof tenants.$inferSelect;

/** At most 1000, by name; only `tenantId` when given. */
export async function listTenants(db: Db, tenantId?: TenantId): Promise<readonly TenantRow[]> {
  const which = tenantId === undefined ? gt(tenants.id, 0 as TenantId) : eq(tenants.id, tenantId);
  return await db.select().from(tenants).where(which).orderBy(asc(tenants.name)).limit(1000);
}

export type TenantFacts = Awaited<ReturnType<typeof listTenantFacts>>[number];

/** As `listTenants`, with how much is theirs. */
export async function listTenantFacts(db: Db, tenantId?: TenantId) {
  const which = tenantId === undefined ? gt(tenants.id, 0 as TenantId) : eq(tenants.id, tenantId);
  return await db
    .select({
      id: tenants.id,
      name: tenants.name,
      isBlocked: tenants.isBlocked,
      createdAt: tenants.createdAt,
      // Without a join drizzle leaves the table out of a column's name, and each of these has several.
      users: sql<number>`(select count(*)::int from ${users} u where u.tenant_id = ${tenants}.id)`,
      desktops: sql<number>`(select count(*)::int from ${vms} v join ${users} u on u.id = v.user_id
        where u.tenant_id = ${tenants}.id and v.deleted_at is null)`,
      administrators: sql<number>`(select count(*)::int from ${administrators} a where a.tenant_id = ${tenants}.id)`,
    })
    .from(tenants)
    .where(which)
    .orderBy(asc(tenants.name))
    .limit(1000);
}

export async function findTenantByName(db: Db, name: string): Promise<TenantRow | undefined> {
  const [row] = await db.select().from(tenants).where(eq(tenants.name, name));
  return row;
}

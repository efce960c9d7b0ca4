/** Administrators; never how they prove who they are. */

import { and, asc, eq, sql } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { administratorRoles, administrators, roles, tenants } from "../schema/index.ts";

export type AdministratorRow = Awaited<ReturnType<typeof listAdministrators>>[number];

/** At most 1000, by login. */
export function listAdministrators(
  db: Db,
  filter: { readonly tenantId?: TenantId | undefined; readonly login?: string | undefined } = {},
) {
  return db
    .select({
      id: administrators.id,
      tenantId: administrators.tenantId,
      tenant: tenants.name,
      login: administrators.login,
      isBlocked: administrators.isBlocked,
      createdAt: administrators.createdAt,
      roles: sql<string[]>`array(select ${roles.name} from ${administratorRoles}
        join ${roles} on ${roles.id} = ${administratorRoles.roleId}
        where ${administratorRoles.administratorId} = ${administrators.id} order by 1)`,
    })
    .from(administrators)
    .innerJoin(tenants, eq(tenants.id, administrators.tenantId))
    .where(
      and(
        filter.tenantId === undefined ? undefined : eq(administrators.tenantId, filter.tenantId),
        filter.login === undefined ? undefined : eq(administrators.login, filter.login),
      ),
    )
    .orderBy(asc(administrators.login))
    .limit(1000);
}

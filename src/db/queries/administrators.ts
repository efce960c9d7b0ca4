/** Administrators; never how they prove who they are. */

import { and, asc, eq, sql } from "drizzle-orm";
import type { AdministratorId, TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import {
  administratorRoles,
  administratorSessions,
  administrators,
  roles,
  secondFactors,
  tenants,
} from "../schema/index.ts";

export type AdministratorRow = Awaited<ReturnType<typeof listAdministrators>>[number];

/** At most 1000, by login. */
export function listAdministrators(
  db: Db,
  filter: {
    readonly tenantId?: TenantId | undefined;
    readonly login?: string | undefined;
    readonly id?: AdministratorId | undefined;
    /** A part of the login. */
    readonly search?: string | undefined;
  } = {},
) {
  return db
    .select({
      id: administrators.id,
      tenantId: administrators.tenantId,
      tenant: tenants.name,
      login: administrators.login,
      isBlocked: administrators.isBlocked,
      provider: administrators.provider,
      createdAt: administrators.createdAt,
      roles: sql<string[]>`array(select ${roles.name} from ${administratorRoles}
        join ${roles} on ${roles.id} = ${administratorRoles.roleId}
        where ${administratorRoles.administratorId} = ${administrators.id} order by 1)`,
      hasSecondFactor: sql<boolean>`exists (select from ${secondFactors} where ${secondFactors.administratorId} = ${administrators.id})`,
      /** When they last asked for something, of the sign-ins that stand. */
      seenAt: sql<
        Date | string | null
      >`(select max(${administratorSessions.seenAt}) from ${administratorSessions}
        where ${administratorSessions.administratorId} = ${administrators.id} and ${administratorSessions.expiresAt} > qvd_now())`.mapWith(
        administratorSessions.seenAt,
      ),
    })
    .from(administrators)
    .innerJoin(tenants, eq(tenants.id, administrators.tenantId))
    .where(
      and(
        filter.tenantId === undefined ? undefined : eq(administrators.tenantId, filter.tenantId),
        filter.login === undefined ? undefined : eq(administrators.login, filter.login),
        filter.id === undefined ? undefined : eq(administrators.id, filter.id),
        filter.search === undefined || filter.search === ""
          ? undefined
          : sql`strpos(lower(${administrators.login}), lower(${filter.search})) > 0`,
      ),
    )
    .orderBy(asc(administrators.login))
    .limit(1000);
}

import { and, eq, type SQL } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { administratorRoles, administrators, roleAcls, tenants } from "../../db/schema/index.ts";
import type { AdministratorActor } from "../../domain/access/actor.ts";

/** The administrator that `which` selects, with the acls of all their roles; undefined when blocked or gone. */
export async function readAdministratorActor(db: Db, which: SQL): Promise<AdministratorActor | undefined> {
  const rows = await db
    .select({
      administratorId: administrators.id,
      login: administrators.login,
      tenantId: administrators.tenantId,
      tenantName: tenants.name,
      acl: roleAcls.acl,
    })
    .from(administrators)
    .innerJoin(tenants, eq(tenants.id, administrators.tenantId))
    .leftJoin(administratorRoles, eq(administratorRoles.administratorId, administrators.id))
    .leftJoin(roleAcls, eq(roleAcls.roleId, administratorRoles.roleId))
    .where(and(which, eq(administrators.isBlocked, false), eq(tenants.isBlocked, false)));
  const first = rows[0];
  if (first === undefined) return undefined;
  const { acl: _, ...who } = first;
  const acls = new Set(rows.flatMap((row) => (row.acl === null ? [] : [row.acl])));
  return { kind: "administrator", ...who, acls };
}

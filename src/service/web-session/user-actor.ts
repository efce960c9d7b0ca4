import { and, eq, type SQL } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { tenants, users } from "../../db/schema/index.ts";
import type { UserActor } from "../../domain/access/actor.ts";

/** The user that `which` selects; undefined when blocked or gone. */
export async function readUserActor(db: Db, which: SQL): Promise<UserActor | undefined> {
  const [row] = await db
    .select({ userId: users.id, login: users.login, tenantId: users.tenantId, tenantName: tenants.name })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .where(and(which, eq(users.isBlocked, false), eq(tenants.isBlocked, false)));
  return row === undefined ? undefined : { kind: "user", ...row };
}

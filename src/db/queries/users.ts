/** Users as administrators see them. */

import { and, asc, eq, or, type SQL, sql } from "drizzle-orm";
import type { TenantId, UserId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions, tenants, users, vms } from "../schema/index.ts";
import { contains, type Page, type PageRequest, pageBounds, pageOf } from "./page.ts";

export type UserFilter = {
  readonly tenantId?: TenantId | undefined;
  /** Part of the login or the full name. */
  readonly search?: string | undefined;
};

export type UserRow = Awaited<ReturnType<typeof selectUsers>>[number];

export async function listUsers(db: Db, filter: UserFilter, request: PageRequest): Promise<Page<UserRow>> {
  const where = matching(filter);
  const { limit, offset } = pageBounds(request);
  const items = await selectUsers(db, where)
    .orderBy(asc(users.login), asc(users.id))
    .limit(limit)
    .offset(offset);
  return pageOf(request, items, await db.$count(users, where));
}

export async function readUser(db: Db, userId: UserId, tenantId?: TenantId): Promise<UserRow | undefined> {
  const [row] = await selectUsers(db, and(matching({ tenantId }), eq(users.id, userId)));
  return row;
}

/** For choosing one, as in a form: not blocked, at most 1000. */
export async function listUserChoices(db: Db, tenantId?: TenantId) {
  return await db
    .select({ id: users.id, login: users.login, tenantId: users.tenantId, tenant: tenants.name })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .where(and(matching({ tenantId }), eq(users.isBlocked, false)))
    .orderBy(asc(users.login), asc(users.id))
    .limit(1000);
}

function selectUsers(db: Db, where: SQL | undefined) {
  const desktops = sql<number>`(select count(*)::int from ${vms} where ${vms.userId} = ${users.id} and ${vms.deletedAt} is null)`;
  const connected = sql<number>`(select count(*)::int from ${sessions} where ${sessions.userId} = ${users.id}
    and ${sessions.endedAt} is null and ${sessions.supersededAt} is null and ${sessions.connectedAt} is not null)`;
  return db
    .select({
      id: users.id,
      tenantId: users.tenantId,
      tenant: tenants.name,
      login: users.login,
      fullName: users.fullName,
      isBlocked: users.isBlocked,
      createdAt: users.createdAt,
      desktops,
      connected,
    })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .where(where);
}

function matching({ tenantId, search = "" }: UserFilter): SQL | undefined {
  const text = search.trim();
  return and(
    tenantId === undefined ? undefined : eq(users.tenantId, tenantId),
    text === "" ? undefined : or(contains(users.login, text), contains(users.fullName, text)),
  );
}

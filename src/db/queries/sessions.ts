/** Sittings of clients at desktops, as administrators see them. */

import { and, desc, eq, isNull, type SQL } from "drizzle-orm";
import type { TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions, users, vms } from "../schema/index.ts";
import { type Page, type PageRequest, pageBounds, pageOf } from "./page.ts";

export type SessionFilter = {
  readonly tenantId?: TenantId | undefined;
  readonly vmId?: VmId | undefined;
  readonly userId?: UserId | undefined;
  /** Neither ended nor taken over. */
  readonly isLive?: boolean | undefined;
};

export type SessionRow = Awaited<ReturnType<typeof selectSessions>>[number];

/** Newest first. */
export async function listSessions(
  db: Db,
  filter: SessionFilter,
  request: PageRequest,
): Promise<Page<SessionRow>> {
  const where = matching(filter);
  const { limit, offset } = pageBounds(request);
  const items = await selectSessions(db, where).orderBy(desc(sessions.id)).limit(limit).offset(offset);
  const counted = db.select({ id: sessions.id }).from(sessions).innerJoin(vms, eq(vms.id, sessions.vmId));
  return pageOf(request, items, await db.$count(counted.where(where).as("counted")));
}

function selectSessions(db: Db, where: SQL | undefined) {
  return db
    .select({
      id: sessions.id,
      vmId: sessions.vmId,
      vm: vms.name,
      userId: sessions.userId,
      user: users.login,
      state: sessions.state,
      client: sessions.client,
      clientAddress: sessions.clientAddress,
      requestedAt: sessions.requestedAt,
      connectedAt: sessions.connectedAt,
      supersededAt: sessions.supersededAt,
      endWishedAt: sessions.endWishedAt,
      endedAt: sessions.endedAt,
      endCause: sessions.endCause,
      fault: sessions.faultText,
      bytesToClient: sessions.bytesToClient,
      bytesFromClient: sessions.bytesFromClient,
    })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(where);
}

function matching(filter: SessionFilter): SQL | undefined {
  return and(
    filter.tenantId === undefined ? undefined : eq(vms.tenantId, filter.tenantId),
    filter.vmId === undefined ? undefined : eq(sessions.vmId, filter.vmId),
    filter.userId === undefined ? undefined : eq(sessions.userId, filter.userId),
    filter.isLive ? and(isNull(sessions.endedAt), isNull(sessions.supersededAt)) : undefined,
  );
}

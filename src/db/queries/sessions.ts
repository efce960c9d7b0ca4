/** Sittings of clients at desktops, as administrators see them. */

import { and, desc, eq, isNotNull, isNull, or, type SQL } from "drizzle-orm";
import type { SessionId, TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { SessionPhase } from "../../domain/session/session-phase.ts";
import type { Db } from "../client.ts";
import { nodes, sessions, tenants, users, vms } from "../schema/index.ts";
import { contains, type Page, type PageRequest, pageBounds, pageOf } from "./page.ts";

export type SessionFilter = {
  readonly tenantId?: TenantId | undefined;
  readonly vmId?: VmId | undefined;
  readonly userId?: UserId | undefined;
  /** Neither ended nor taken over. */
  readonly isLive?: boolean | undefined;
  readonly phase?: SessionPhase | undefined;
  /** In the desktop's name, the user's login or the client's address. */
  readonly search?: string | undefined;
};

export type SessionRow = Awaited<ReturnType<typeof selectSessions>>[number];

/** What happened in a year is many rows, and nobody pages to the last: beyond this they aren't counted. */
export const MOST_COUNTED_SESSIONS = 10_000;

/** Newest first. */
export async function listSessions(
  db: Db,
  filter: SessionFilter,
  request: PageRequest,
): Promise<Page<SessionRow>> {
  const where = matching(filter);
  const { limit, offset } = pageBounds(request);
  const items = await selectSessions(db, where).orderBy(desc(sessions.id)).limit(limit).offset(offset);
  const counted = db
    .select({ id: sessions.id })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(where)
    .limit(MOST_COUNTED_SESSIONS);
  return pageOf(request, items, await db.$count(counted.as("counted")));
}

/** Of any tenant unless one is given. */
export async function readSessionRow(
  db: Db,
  sessionId: SessionId,
  tenantId?: TenantId,
): Promise<SessionRow | undefined> {
  const [row] = await selectSessions(db, and(eq(sessions.id, sessionId), matching({ tenantId })));
  return row;
}

function selectSessions(db: Db, where: SQL | undefined) {
  return db
    .select({
      id: sessions.id,
      vmId: sessions.vmId,
      vm: vms.name,
      userId: sessions.userId,
      user: users.login,
      tenant: tenants.name,
      state: sessions.state,
      access: sessions.access,
      client: sessions.client,
      clientAddress: sessions.clientAddress,
      /** Whose broker carries it. */
      node: nodes.name,
      requestedAt: sessions.requestedAt,
      connectedAt: sessions.connectedAt,
      supersededAt: sessions.supersededAt,
      endWishedAt: sessions.endWishedAt,
      endWishedBy: sessions.endWishedBy,
      endedAt: sessions.endedAt,
      endCause: sessions.endCause,
      fault: sessions.faultText,
      bytesToClient: sessions.bytesToClient,
      bytesFromClient: sessions.bytesFromClient,
    })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(tenants, eq(tenants.id, vms.tenantId))
    .leftJoin(nodes, eq(nodes.id, sessions.brokerNodeId))
    .where(where);
}

function matching(filter: SessionFilter): SQL | undefined {
  const { search = "" } = filter;
  return and(
    filter.tenantId === undefined ? undefined : eq(vms.tenantId, filter.tenantId),
    filter.vmId === undefined ? undefined : eq(sessions.vmId, filter.vmId),
    filter.userId === undefined ? undefined : eq(sessions.userId, filter.userId),
    filter.isLive ? and(isNull(sessions.endedAt), isNull(sessions.supersededAt)) : undefined,
    filter.phase === undefined ? undefined : inPhase(filter.phase),
    search === ""
      ? undefined
      : or(
          contains(vms.name, search),
          contains(users.login, search),
          contains(sessions.clientAddress, search),
        ),
  );
}

/** As `sessionPhase` has it. */
function inPhase(phase: SessionPhase): SQL | undefined {
  if (phase === "ended") return or(isNotNull(sessions.endedAt), isNotNull(sessions.supersededAt));
  const isConnected = phase === "connected" ? isNotNull(sessions.connectedAt) : isNull(sessions.connectedAt);
  return and(isNull(sessions.endedAt), isNull(sessions.supersededAt), isConnected);
}

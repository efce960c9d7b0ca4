/**
 * What a broker reads, prepared: each of its connections asks these, several times a second while a desktop
 * comes up. Prepared, a read costs a quarter (drizzle otherwise builds its SQL anew and sends it unprepared).
 */

import { and, asc, eq, gt, isNotNull, isNull, or, sql } from "drizzle-orm";
import type { NodeId, SessionId, UserId, VmId } from "../../domain/ids.ts";
import type { VmState } from "../../domain/vm/state.ts";
import type { Db } from "../client.ts";
import { nodeReports, nodes, sessions, vmEvents, vmReports, vms } from "../schema/index.ts";

const MOST_EVENTS = 100;

export type BrokerReads = ReturnType<typeof prepareBrokerReads>;

/** Prepared for `db` and to be kept with it; they survive the loss of its connections. */
export function prepareBrokerReads(db: Db) {
  const node = prepareNode(db);
  const ofUser = selectDesktops(db).where(ofUserWhere()).orderBy(asc(vms.id)).prepare("broker_desktops");
  const one = selectDesktops(db).where(oneWhere()).prepare("broker_desktop");
  const session = prepareSession(db);
  const events = prepareEvents(db);
  const toEnd = prepareToEnd(db);
  return {
    /** Undefined when the box isn't registered; `starting` before its first report. */
    readNode: async (nodeId: NodeId) => (await node.execute({ nodeId }))[0],
    /** Blocked ones too; by id. */
    listDesktops: (userId: UserId) => ofUser.execute({ userId }),
    readDesktop: async (vmId: VmId) => (await one.execute({ vmId }))[0],
    readSession: async (sessionId: SessionId) => (await session.execute({ sessionId }))[0],
    /** Oldest first, at most 100. */
    listEventsSince: (vmId: VmId, afterId: number) => events.execute({ vmId, afterId }),
    /** Open sittings of a worker that a newer client took over or somebody wished ended. */
    listSessionsToEnd: (nodeId: NodeId, worker: string) => toEnd.execute({ nodeId, worker }),
  };
}

function prepareNode(db: Db) {
  return db
    .select({
      isBlocked: nodes.isBlocked,
      state: sql<"starting" | "running" | "stopping" | "stopped">`coalesce(${nodeReports.state}, 'starting')`,
    })
    .from(nodes)
    .leftJoin(nodeReports, eq(nodeReports.nodeId, nodes.id))
    .where(eq(nodes.id, sql.placeholder("nodeId")))
    .prepare("broker_node");
}

function selectDesktops(db: Db) {
  return db
    .select({
      id: vms.id,
      userId: vms.userId,
      name: vms.name,
      isBlocked: vms.isBlocked,
      wish: vms.wish,
      // A desktop that no node ever reported on has never run.
      state: sql<VmState>`coalesce(${vmReports.state}, 'stopped')`,
    })
    .from(vms)
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .$dynamic();
}

function ofUserWhere() {
  return and(eq(vms.userId, sql.placeholder("userId")), isNull(vms.deletedAt));
}

function oneWhere() {
  return and(eq(vms.id, sql.placeholder("vmId")), isNull(vms.deletedAt));
}

function prepareSession(db: Db) {
  return db
    .select({
      state: sessions.state,
      isSuperseded: sql<boolean>`${sessions.supersededAt} is not null`,
      isEnded: sql<boolean>`${sessions.endedAt} is not null`,
      isEndWished: sql<boolean>`${sessions.endWishedAt} is not null`,
      address: sessions.address,
      port: sessions.port,
      faultCode: sessions.faultCode,
      faultText: sessions.faultText,
    })
    .from(sessions)
    .where(eq(sessions.id, sql.placeholder("sessionId")))
    .prepare("broker_session");
}

function prepareEvents(db: Db) {
  return db
    .select({ id: vmEvents.id, code: vmEvents.code, text: vmEvents.text })
    .from(vmEvents)
    .where(and(eq(vmEvents.vmId, sql.placeholder("vmId")), gt(vmEvents.id, sql.placeholder("afterId"))))
    .orderBy(asc(vmEvents.id))
    .limit(MOST_EVENTS)
    .prepare("broker_events");
}

function prepareToEnd(db: Db) {
  return db
    .select({ id: sessions.id, isSuperseded: sql<boolean>`${sessions.supersededAt} is not null` })
    .from(sessions)
    .where(
      and(
        eq(sessions.brokerNodeId, sql.placeholder("nodeId")),
        eq(sessions.brokerWorker, sql.placeholder("worker")),
        isNull(sessions.endedAt),
        or(isNotNull(sessions.supersededAt), isNotNull(sessions.endWishedAt)),
      ),
    )
    .prepare("broker_sessions_to_end");
}

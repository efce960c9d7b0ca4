/** The broker's store on PostgreSQL: reads of its own, writes by the service's verbs and the recorder. */

import { and, asc, eq, gt, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { attemptDatabase } from "../db/errors.ts";
import { readSessionEnd } from "../db/queries/session-end.ts";
import { readWaitingSession } from "../db/queries/waiting-session.ts";
import { nodeReports, nodes, osfs, sessions, visits, vmEvents, vmReports, vms } from "../db/schema/index.ts";
import type { NodeId, SessionId, VisitId, VmId } from "../domain/ids.ts";
import type { EndCause } from "../domain/session/end-cause.ts";
import { requestSession } from "../service/session/request.ts";
import { wishVmStopped } from "../service/vm/wish-stopped.ts";
import { recordSessionsEnding } from "./record-ending.ts";
import { recordSecondLook } from "./record-second-look.ts";
import { recordOrphansEnded, recordSessionConnected, recordSessionEnded } from "./record-session.ts";
import { recordSessionTraffic } from "./record-traffic.ts";
import type { BrokerStore, DesktopView, RelayView, SessionView, TrailEvent, WaitView } from "./store.ts";

export type DatabaseStoreDeps = {
  /** As the role `qvd_broker`. */
  readonly db: Db;
  readonly nodeId: NodeId;
  /** This worker, as sessions name who carries them. */
  readonly worker: string;
  /** Whether the worker of that name is no more; left out: one of our own name, an earlier process of ours. */
  readonly isGone?: (worker: string) => boolean;
};

const MOST_EVENTS = 100;

export function createDatabaseStore({ db, nodeId, worker, isGone }: DatabaseStoreDeps): BrokerStore {
  return {
    readNode: () => attemptDatabase("read this node's state", () => readNode(db, nodeId)),
    listDesktops: (userId) =>
      attemptDatabase("list the desktops", () => listDesktops(db, eq(vms.userId, userId))),
    readDesktop: (vmId) =>
      attemptDatabase("read the desktop", async () => (await listDesktops(db, eq(vms.id, vmId)))[0]),
    requestSession: async ({ asker, vmId, client, access, parameters, slaveKey }) => {
      const { supersededId, ...requested } = await requestSession(
        { db, ...asker },
        {
          vmId,
          client,
          access,
          parameters,
          slaveKey,
          clientAddress: asker.origin,
          brokerNodeId: nodeId,
          brokerWorker: worker,
        },
      );
      return { ...requested, hasTakenOver: supersededId !== undefined };
    },
    readSession: (sessionId) => attemptDatabase("read the session", () => readSession(db, nodeId, sessionId)),
    readWait: (sessionId, afterId) =>
      attemptDatabase("read what a client waits for", () => readWait(db, nodeId, { sessionId, afterId })),
    readEnd: (known) => attemptDatabase("read how a session ended", () => readSessionEnd(db, known)),
    readRelay: (sessionId) =>
      attemptDatabase("read the session to relay", () => readRelay(db, nodeId, sessionId)),
    readVisitRelay: (visitId) =>
      attemptDatabase("read the visit to relay", async () => ({
        address: await readAddress(db, nodeId),
        desktop: await findConsole(db, nodeId, visitId),
      })),
    listEventsSince: (vmId, afterId) =>
      attemptDatabase("read the trail", () => listEvents(db, vmId, afterId)),
    wishStopped: async (asker, vmId) => {
      await wishVmStopped({ db, ...asker }, { vmId });
    },
    recordConnected: (sessionId) =>
      attemptDatabase("record the session", () => recordSessionConnected(db, nodeId, sessionId)),
    recordTraffic: (traffic) =>
      attemptDatabase("record what the sessions carried", () => recordSessionTraffic(db, traffic)),
    recordEnded: (sessionId, end) =>
      attemptDatabase("record the session's end", () =>
        recordSessionEnded(db, nodeId, { ...end, sessionId }),
      ),
    recordSecondLook: (sessionId) =>
      attemptDatabase("look at the session's end again", () => recordSecondLook(db, nodeId, sessionId)),
    listSessionsToEnd: () =>
      attemptDatabase("read which sessions are to end", () => listSessionsToEnd(db, nodeId, worker)),
    closeOrphans: () =>
      attemptDatabase("close sessions left open", () =>
        recordOrphansEnded(db, nodeId, isGone ?? ((name) => name === worker)),
      ),
    announceEnds: (inMs, relayed) =>
      attemptDatabase("announce the sessions' end", () =>
        recordSessionsEnding(db, { nodeId, worker, relayed, inMs }),
      ),
  };
}

async function readNode(db: Db, nodeId: NodeId) {
  const [row] = await db
    .select({ isBlocked: nodes.isBlocked, drain: nodes.drain, state: nodeReports.state })
    .from(nodes)
    .leftJoin(nodeReports, eq(nodeReports.nodeId, nodes.id))
    .where(eq(nodes.id, nodeId));
  if (row === undefined) return undefined;
  const { isBlocked, drain, state } = row;
  return { isBlocked, state: state ?? "starting", isDraining: drain !== null };
}

async function listDesktops(db: Db, which: SQL): Promise<DesktopView[]> {
  const rows = await db
    .select({
      id: vms.id,
      userId: vms.userId,
      name: vms.name,
      isBlocked: vms.isBlocked,
      wish: vms.wish,
      state: vmReports.state,
      isApplication: osfs.isApplication,
      console: sql<
        "none" | "offered" | "only"
      >`case when ${osfs.hypervisor} <> 'kvm' or not ${osfs.offersConsole} then 'none'
        when ${osfs.hasAgent} then 'offered' else 'only' end`,
      fault: vmReports.faultCode,
      queuePosition: vmReports.queuePosition,
      dueInMs: sql<number | null>`(extract(epoch from ${vmReports.queueDueAt} - qvd_now()) * 1000)::float8`,
    })
    .from(vms)
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .where(and(which, isNull(vms.deletedAt)))
    .orderBy(asc(vms.id));
  // A desktop that no node ever reported on has never run.
  return rows.map(({ queuePosition, dueInMs, fault, ...row }) => ({
    ...row,
    ...(fault === null ? {} : { fault }),
    state: row.state ?? "stopped",
    ...queueOf(queuePosition, dueInMs),
  }));
}

async function readSession(db: Db, nodeId: NodeId, sessionId: SessionId): Promise<SessionView | undefined> {
  const [found] = await db
    .select({ row: sessions, node: { id: nodes.id, name: nodes.name, address: nodes.address } })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .leftJoin(nodes, eq(nodes.id, vms.nodeId))
    .where(eq(sessions.id, sessionId));
  if (found === undefined) return undefined;
  const { row, node } = found;
  const isElsewhere = node !== null && node.id !== nodeId;
  return {
    elsewhere: isElsewhere ? { node: node.name, address: node.address ?? undefined } : undefined,
    state: row.state,
    isSuperseded: row.supersededAt !== null,
    isEnded: row.endedAt !== null,
    isEndWished: row.endWishedAt !== null,
    address: row.address ?? undefined,
    port: row.port ?? undefined,
    faultText: row.faultText ?? undefined,
  };
}

async function readWait(
  db: Db,
  nodeId: NodeId,
  of: { readonly sessionId: SessionId; readonly afterId: number },
): Promise<WaitView> {
  const row = await readWaitingSession(db, of.sessionId, of.afterId);
  if (row === undefined) return { session: undefined, desktop: undefined, events: [] };
  const { state, isSuperseded, isEnded, isEndWished, events } = row;
  const isElsewhere = row.node !== null && row.nodeId !== nodeId;
  const session = {
    ...{ state, isSuperseded, isEnded, isEndWished },
    elsewhere: isElsewhere ? { node: row.node, address: row.nodeAddress ?? undefined } : undefined,
    address: row.address ?? undefined,
    port: row.port ?? undefined,
    faultText: row.faultText ?? undefined,
  };
  if (row.isDeleted) return { session, desktop: undefined, events };
  const { vmId: id, userId, name, isBlocked, wish, isApplication, vmState } = row;
  const desktop = { id, userId, name, isBlocked, wish, isApplication, state: vmState ?? "stopped" } as const;
  return { session, desktop: { ...desktop, ...queueOf(row.queuePosition, row.dueInMs) }, events };
}

function queueOf(position: number | null, dueInMs: number | null): Pick<DesktopView, "queue"> {
  return position === null ? {} : { queue: { position, dueInMs: dueInMs ?? undefined } };
}

/** Claimed by its broker, and waiting on this node. */
async function readRelay(db: Db, nodeId: NodeId, sessionId: SessionId): Promise<RelayView> {
  const address = await readAddress(db, nodeId);
  const [row] = await db
    .select({
      vmId: sessions.vmId,
      address: sessions.address,
      port: sessions.port,
      isConsole: sql<boolean>`${sessions.access} = 'console'`,
    })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .where(
      and(
        eq(sessions.id, sessionId),
        eq(vms.nodeId, nodeId),
        eq(sessions.state, "listening"),
        isNotNull(sessions.connectedAt),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
      ),
    );
  const isComplete = row !== undefined && row.address !== null && row.port !== null;
  return {
    address,
    desktop: isComplete ? { ...row, address: row.address ?? "", port: row.port ?? 0 } : undefined,
  };
}

async function readAddress(db: Db, nodeId: NodeId): Promise<string | undefined> {
  const [node] = await db.select({ address: nodes.address }).from(nodes).where(eq(nodes.id, nodeId));
  return node?.address ?? undefined;
}

/** Of a visit that has begun; the node's console door asks for its key besides. */
async function findConsole(db: Db, nodeId: NodeId, visitId: VisitId): Promise<RelayView["desktop"]> {
  const [row] = await db
    .select({ vmId: visits.vmId })
    .from(visits)
    .innerJoin(vms, eq(vms.id, visits.vmId))
    .where(
      and(
        eq(visits.id, visitId),
        eq(visits.kind, "console"),
        eq(vms.nodeId, nodeId),
        isNotNull(visits.beganAt),
        isNull(visits.endedAt),
      ),
    );
  return row === undefined ? undefined : { vmId: row.vmId, address: "", port: 0, isConsole: true };
}

async function listEvents(db: Db, vmId: VmId, afterId: number): Promise<TrailEvent[]> {
  return await db
    .select({ id: vmEvents.id, code: vmEvents.code, text: vmEvents.text })
    .from(vmEvents)
    .where(and(eq(vmEvents.vmId, vmId), gt(vmEvents.id, afterId)))
    .orderBy(asc(vmEvents.id))
    .limit(MOST_EVENTS);
}

async function listSessionsToEnd(db: Db, nodeId: NodeId, worker: string) {
  const rows = await db
    .select({ id: sessions.id, supersededAt: sessions.supersededAt, by: sessions.endWishedBy })
    .from(sessions)
    .where(
      and(
        eq(sessions.brokerNodeId, nodeId),
        eq(sessions.brokerWorker, worker),
        isNull(sessions.endedAt),
        or(isNotNull(sessions.supersededAt), isNotNull(sessions.endWishedAt)),
      ),
    );
  return rows.map((row) => ({
    id: row.id,
    cause: row.supersededAt === null ? endCauseOf(row.by) : "superseded",
  }));
}

/** `by` as `formatActor` wrote it. */
function endCauseOf(by: string | null): EndCause {
  return by?.startsWith("user:") ? "ended-by-owner" : "ended-by-administrator";
}

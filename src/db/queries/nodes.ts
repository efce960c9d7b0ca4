/** Boxes, what they say of themselves, and whether their lease holds by the database's clock. */

import { and, asc, eq, type SQL, sql } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { leases, nodeReports, nodes, sessions, vmReports, vms } from "../schema/index.ts";

export type NodeRow = Awaited<ReturnType<typeof selectNodes>>[number];

/** At most 1000, by name. */
export function listNodes(db: Db) {
  return selectNodes(db, undefined).orderBy(asc(nodes.name)).limit(1000);
}

export async function readNode(db: Db, nodeId: NodeId): Promise<NodeRow | undefined> {
  const [row] = await selectNodes(db, eq(nodes.id, nodeId));
  return row;
}

export async function readNodeByName(db: Db, name: string): Promise<NodeRow | undefined> {
  const [row] = await selectNodes(db, eq(nodes.name, name));
  return row;
}

/**
 * Of the box's name, if it is this box that is registered under it. Nothing else is read: brokers may not see what
 * `readNodeByName` shows.
 */
export async function readOwnNodeId(db: Db, name: string, boxId: string): Promise<NodeId | undefined> {
  const own = and(eq(nodes.name, name), eq(nodes.boxId, boxId));
  const [row] = await db.select({ id: nodes.id }).from(nodes).where(own);
  return row?.id;
}

function selectNodes(db: Db, where: SQL | undefined) {
  return db
    .select({
      id: nodes.id,
      name: nodes.name,
      isBlocked: nodes.isBlocked,
      createdAt: nodes.createdAt,
      /** Where other boxes reach its broker, as HOST:PORT; null before it said so. */
      address: nodes.address,
      sharedId: nodes.sharedId,
      drain: nodes.drain,
      drainedAt: nodes.drainedAt,
      weight: nodes.weight,
      /** `stopped` before its first report. */
      state: sql<"starting" | "running" | "stopping" | "stopped">`coalesce(${nodeReports.state}, 'stopped')`,
      facts: nodeReports.facts,
      startedAt: nodeReports.startedAt,
      reportedAt: nodeReports.reportedAt,
      reportAgeMs: sql<
        number | null
      >`(extract(epoch from qvd_now() - ${nodeReports.reportedAt}) * 1000)::float8`,
      epoch: leases.epoch,
      leaseValidUntil: leases.validUntil,
      leaseLapsedMs: sql<
        number | null
      >`(extract(epoch from qvd_now() - ${leases.validUntil}) * 1000)::float8`,
      /** Since another box has taken over; null while none has. */
      leaseLostMs: sql<number | null>`(extract(epoch from qvd_now() - ${leases.lostAt}) * 1000)::float8`,
      isLeaseValid: sql<boolean>`coalesce(${leases.validUntil} > qvd_now(), false)`,
      desktops: sql<number>`(select count(*)::int from ${vms} where ${vms.nodeId} = ${nodes.id} and ${vms.deletedAt} is null)`,
      running: sql<number>`(select count(*)::int from ${vmReports} where ${vmReports.nodeId} = ${nodes.id} and ${vmReports.state} <> 'stopped')`,
      connected: sql<number>`(select count(*)::int from ${sessions} where ${sessions.brokerNodeId} = ${nodes.id}
        and ${sessions.endedAt} is null and ${sessions.connectedAt} is not null)`,
    })
    .from(nodes)
    .leftJoin(nodeReports, eq(nodeReports.nodeId, nodes.id))
    .leftJoin(leases, eq(leases.nodeId, nodes.id))
    .where(where);
}

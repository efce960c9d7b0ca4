/** What the explanation of a desktop goes by, in two queries. */

import { and, eq, sql } from "drizzle-orm";
import type { TenantId, VmId } from "../../domain/ids.ts";
import type { Persistence } from "../../domain/image/persistence.ts";
import type { ExplainFacts, ExplainNode } from "../../domain/vm/explain-facts.ts";
import { drainOf } from "../../domain/vm/plan-drain.ts";
import type { Db } from "../client.ts";
import { dis, diTags, leases, nodeReports, nodes, osfs, sessions, vmReports, vms } from "../schema/index.ts";
import { readDesktop } from "./desktops.ts";
import { listTrail } from "./trail.ts";

/** Enough for all tries of a wish. */
const EVENTS = 100;

/** Undefined when there is no such desktop, or none in `tenantId`. */
export async function readExplainFacts(
  db: Db,
  vmId: VmId,
  tenantId?: TenantId,
): Promise<ExplainFacts | undefined> {
  const [desktop, [row], events] = await Promise.all([
    readDesktop(db, vmId, tenantId),
    selectRest(db, vmId),
    listTrail(db, vmId, { limit: EVENTS }),
  ]);
  if (desktop === undefined || row === undefined) return undefined;
  const { name, wish, wishedBy, wishedAt, generation, isBlocked, blockedReason, osf, tag, isConnected } =
    desktop;
  return {
    ...{ name, wish, wishedBy, wishedAt, generation, isBlocked, blockedReason, osf, tag, isConnected },
    image: row.image,
    expectsAgent: row.expectsAgent,
    idleStopSeconds: row.idleStopSeconds,
    wasVisited: row.wasVisited,
    expiresSoftAt: row.expiresSoftAt,
    expiresHardAt: row.expiresHardAt,
    node: row.node === null ? null : composeNode(row.node, row),
    strangeOn: row.strangeOn.map((node) => ({ node, vmId })),
    report: row.report === null ? null : { ...row.report, fault: row.report.faultText },
    events,
  };
}

type NodeRow = Omit<ExplainNode, "drain"> & {
  readonly drain: "finish" | "move" | null;
  readonly isShared: boolean;
};

function composeNode(
  { drain: mode, isShared, ...node }: NodeRow,
  { persistence, report }: { readonly persistence: Persistence; readonly report: object | null },
): ExplainNode {
  return { ...node, drain: drainOf({ mode, isShared, persistence, hasRun: report !== null }) ?? null };
}

function selectRest(db: Db, vmId: VmId) {
  return db
    .select({
      idleStopSeconds: osfs.idleStopSeconds,
      expectsAgent: sql<boolean>`${osfs.hasAgent} or ${osfs.hypervisor} <> 'kvm'`,
      persistence: osfs.persistence,
      // As the nodes told last, those that are up.
      strangeOn: sql<string[]>`array(select n.name from ${nodeReports} r join ${nodes} n on n.id = r.node_id
        where r.state = 'running' and r.facts->'strangers' @> to_jsonb(${vms.id}) order by n.name)`,
      // A session makes the X session that is there till the end of this life, mostly.
      wasVisited: sql<boolean>`coalesce(${vmReports.xState} <> 'none', false) or exists (select from ${sessions} s
        where s.vm_id = ${vms.id} and s.connected_at >= ${vmReports.stateAt})`,
      expiresSoftAt: vms.expiresSoftAt,
      expiresHardAt: vms.expiresHardAt,
      image: dis,
      report: vmReports,
      node: {
        name: nodes.name,
        isBlocked: nodes.isBlocked,
        drain: nodes.drain,
        isShared: sql<boolean>`${nodes.sharedId} is not null`,
        startTimeoutMs: sql<
          number | null
        >`(${nodeReports.facts}->'startTimeoutsMs'->>${osfs.hypervisor})::float8`,
        hasLease: sql<boolean>`coalesce(${leases.validUntil} > qvd_now(), false)`,
      },
    })
    .from(vms)
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .leftJoin(diTags, and(eq(diTags.osfId, vms.osfId), eq(diTags.tag, vms.diTag)))
    .leftJoin(dis, eq(dis.id, diTags.diId))
    .leftJoin(nodes, eq(nodes.id, vms.nodeId))
    .leftJoin(leases, eq(leases.nodeId, vms.nodeId))
    .leftJoin(nodeReports, eq(nodeReports.nodeId, vms.nodeId))
    .where(eq(vms.id, vmId));
}

/** Everything that a node's loop needs to know of its desktops, in one query. Ages are by the database's clock. */

import { and, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { DiId, NodeId, OsfId, SessionId, TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { Persistence } from "../../domain/image/persistence.ts";
import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import type { VmState } from "../../domain/vm/state.ts";
import type { Db } from "../client.ts";
import { dis, diTags, nodes, osfs, sessions, users, vmReports, vms } from "../schema/index.ts";

export type NodeDesktop = {
  readonly vmId: VmId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly address: string;
  readonly idSlot: number;
  readonly epoch: number;
  readonly isBlocked: boolean;
  readonly blockedReason: string | null;
  readonly isDeleted: boolean;
  /** Its node is being drained. */
  readonly drain?: "finish" | "move" | null;
  /** Its node keeps homes on storage that other boxes see. */
  readonly isShared?: boolean;
  readonly wish: "running" | "stopped";
  readonly generation: number;
  readonly wishedBy: string | null;
  readonly user: { readonly id: UserId; readonly login: string; readonly fullName: string };
  readonly osf: {
    readonly id: OsfId;
    readonly name: string;
    readonly memoryMb: number;
    readonly cpus: number;
    readonly hypervisor: "lxc" | "kvm";
    readonly persistence: Persistence;
    /** Absolute paths inside the desktop, with persistence `folders`. */
    readonly keptFolders: readonly string[];
    /** Most that home and system may hold; null is no limit of their own. */
    readonly homeMb: number | null;
    readonly systemMb: number | null;
    /** After the last person left; null never, 0 at once. */
    readonly idleStopSeconds: number | null;
    readonly onCrash: "leave" | "restart";
    readonly allowsNeighbours: boolean;
    /** False for machines that nobody of ours runs in. */
    readonly hasAgent: boolean;
  };
  /** Until the moment; negative when it has passed, null when there is none. */
  readonly expiresSoftInMs: number | null;
  readonly expiresHardInMs: number | null;
  readonly diTag: string;
  readonly image: {
    readonly id: DiId;
    readonly version: string;
    readonly fileName: string;
    readonly kind: "archive" | "disk";
    readonly state: "new" | "fetching" | "verifying" | "ready" | "failed";
    readonly isBlocked: boolean;
    readonly fault: string | null;
  } | null;
  readonly report: {
    readonly state: VmState;
    readonly stateAgeMs: number;
    readonly generationSeen: number;
    readonly tries: number;
    readonly nextTryInMs: number | null;
    readonly diId: DiId | null;
    readonly hasAgent: boolean;
    readonly xState: string;
    readonly faultCode: string | null;
    readonly faultText: string | null;
    readonly hasNetwork: boolean | null;
    readonly crashes: number;
    readonly idleAgeMs: number | null;
    readonly incarnation: number;
    readonly queuePosition: number | null;
    readonly queueDueInMs: number | null;
  } | null;
  readonly session: {
    readonly id: SessionId;
    readonly state: "requested" | "preparing" | "listening" | "failed";
    readonly requestedAgeMs: number;
    readonly client: ClientParameters;
    readonly slaveKey: string;
  } | null;
};

/** Desktops placed on this node; only `vmIds` of them when given. */
export async function listNodeDesktops(
  db: Db,
  nodeId: NodeId,
  vmIds?: readonly VmId[],
): Promise<readonly NodeDesktop[]> {
  const isLive = and(isNull(sessions.endedAt), isNull(sessions.supersededAt));
  const rows = await db
    .select({
      vm: vms,
      user: { id: users.id, login: users.login, fullName: users.fullName },
      osf: osfs,
      image: dis,
      node: { drain: nodes.drain, sharedId: nodes.sharedId },
      report: vmReports,
      stateAgeMs: ageMs(sql`${vmReports.stateAt}`),
      nextTryAgeMs: ageMs(sql`${vmReports.nextTryAt}`),
      idleAgeMs: ageMs(sql`${vmReports.idleSince}`),
      queueDueAgeMs: ageMs(sql`${vmReports.queueDueAt}`),
      expiresSoftAgeMs: ageMs(sql`${vms.expiresSoftAt}`),
      expiresHardAgeMs: ageMs(sql`${vms.expiresHardAt}`),
      session: {
        id: sessions.id,
        state: sessions.state,
        client: sessions.client,
        slaveKey: sessions.slaveKey,
      },
      requestedAgeMs: ageMs(sql`${sessions.requestedAt}`),
    })
    .from(vms)
    .innerJoin(users, eq(users.id, vms.userId))
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .innerJoin(nodes, eq(nodes.id, vms.nodeId))
    .leftJoin(diTags, and(eq(diTags.osfId, vms.osfId), eq(diTags.tag, vms.diTag)))
    .leftJoin(dis, eq(dis.id, diTags.diId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .leftJoin(sessions, and(eq(sessions.vmId, vms.id), isLive))
    .where(and(eq(vms.nodeId, nodeId), vmIds === undefined ? undefined : inArray(vms.id, [...vmIds])))
    .orderBy(vms.wishedAt, vms.id);
  return rows.map((row) => ({
    vmId: row.vm.id,
    tenantId: row.vm.tenantId,
    name: row.vm.name,
    address: row.vm.address,
    idSlot: row.vm.idSlot,
    epoch: row.vm.epoch,
    isBlocked: row.vm.isBlocked,
    blockedReason: row.vm.blockedReason,
    isDeleted: row.vm.deletedAt !== null,
    drain: row.node.drain,
    isShared: row.node.sharedId !== null,
    wish: row.vm.wish,
    generation: row.vm.wishGeneration,
    wishedBy: row.vm.wishedBy,
    user: row.user,
    osf: row.osf,
    expiresSoftInMs: negated(row.expiresSoftAgeMs),
    expiresHardInMs: negated(row.expiresHardAgeMs),
    diTag: row.vm.diTag,
    image: row.image,
    report: row.report === null ? null : { ...row.report, ...reportAges(row) },
    session: row.session === null ? null : { ...row.session, requestedAgeMs: row.requestedAgeMs ?? 0 },
  }));
}

function reportAges(row: {
  readonly stateAgeMs: number | null;
  readonly nextTryAgeMs: number | null;
  readonly idleAgeMs: number | null;
  readonly queueDueAgeMs: number | null;
}) {
  return {
    stateAgeMs: row.stateAgeMs ?? 0,
    nextTryInMs: negated(row.nextTryAgeMs),
    idleAgeMs: row.idleAgeMs,
    queueDueInMs: negated(row.queueDueAgeMs),
  };
}

function ageMs(moment: SQL) {
  return sql<number | null>`(extract(epoch from qvd_now() - ${moment}) * 1000)::float8`;
}

function negated(value: number | null): number | null {
  return value === null ? null : -value;
}

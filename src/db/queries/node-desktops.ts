/** Everything that a node's loop needs to know of its desktops, in one query. Ages are by the database's clock. */

import { type SQL, sql } from "drizzle-orm";
import type { DiId, NodeId, OsfId, SessionId, TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { Persistence } from "../../domain/image/persistence.ts";
import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import type { VmState } from "../../domain/vm/state.ts";
import type { Db } from "../client.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { dis, diTags, nodes, osfs, users, vmReports, vms } from "../schema/index.ts";
import { LIVE_SESSION, WISH_MARKS } from "./wish-marks.ts";

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
  /** Compares equal as long as nothing is wished of it anew. */
  readonly wishMarks: string;
};

/** Desktops placed on this node; only `vmIds` of them when given. Outside of transactions. */
export async function listNodeDesktops(
  db: Db,
  nodeId: NodeId,
  vmIds?: readonly VmId[],
): Promise<readonly NodeDesktop[]> {
  const rows =
    vmIds === undefined
      ? await executePrepared<DesktopRow>(db, ALL, [nodeId])
      : await executePrepared<DesktopRow>(db, SOME, [nodeId, vmIds]);
  return rows.map(toDesktop);
}

/** As the statement returns it: what belongs together lies side by side, ages are by the database's clock. */
export type DesktopRow = Omit<NodeDesktop, "user" | "osf" | "image" | "report" | "session"> & {
  readonly userId: UserId;
  readonly login: string;
  readonly fullName: string;
  readonly osfId: OsfId;
  readonly osfName: string;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly hypervisor: "lxc" | "kvm";
  readonly persistence: Persistence;
  readonly keptFolders: readonly string[];
  readonly homeMb: number | null;
  readonly systemMb: number | null;
  readonly idleStopSeconds: number | null;
  readonly onCrash: "leave" | "restart";
  readonly allowsNeighbours: boolean;
  readonly osfHasAgent: boolean;
  readonly imageId: DiId | null;
  readonly imageVersion: string;
  readonly imageFileName: string;
  readonly imageKind: "archive" | "disk";
  readonly imageState: "new" | "fetching" | "verifying" | "ready" | "failed";
  readonly imageIsBlocked: boolean;
  readonly imageFault: string | null;
  readonly reportState: VmState | null;
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
  readonly sessionId: SessionId | null;
  readonly sessionState: "requested" | "preparing" | "listening" | "failed";
  readonly requestedAgeMs: number;
  readonly client: ClientParameters;
  readonly slaveKey: string;
  readonly wishMarks: string;
};

const ALL = desktopsWhere(["int"], sql`v.node_id = $1`);
// Not by the index of nodes: what the planner knows of it is wrong while a site fills.
const SOME = desktopsWhere(["int", "int[]"], sql`v.id = any ($2) and v.node_id is not distinct from $1`);

/**
 * The report is lateral, with a limit, so that it is looked up by desktop always: the plan is kept, and one made while a
 * table was empty read all of it once it had filled (35 ms of a site's first starts, each).
 */
function desktopsWhere(types: readonly string[], which: SQL) {
  return prepared(types, sql`${selectDesktops(which)} order by v.wished_at, v.id`);
}

/** Rows that `toDesktop` takes, in no order; `v` is the desktop's own row. */
export function selectDesktops(which: SQL): SQL {
  return sql`
select v.id as "vmId", v.tenant_id as "tenantId", v.name, host(v.address) as address, v.id_slot as "idSlot",
  v.epoch::float8 as epoch, v.is_blocked as "isBlocked", v.blocked_reason as "blockedReason",
  v.deleted_at is not null as "isDeleted", n.drain, n.shared_id is not null as "isShared", v.wish,
  v.wish_generation::float8 as generation, v.wished_by as "wishedBy", v.di_tag as "diTag",
  -${ageMs("v.expires_soft_at")} as "expiresSoftInMs", -${ageMs("v.expires_hard_at")} as "expiresHardInMs",
  u.id as "userId", u.login, u.full_name as "fullName",
  o.id as "osfId", o.name as "osfName", o.memory_mb as "memoryMb", o.cpus, o.hypervisor, o.persistence,
  to_jsonb(o.kept_folders) as "keptFolders", o.home_mb as "homeMb", o.system_mb as "systemMb",
  o.idle_stop_seconds as "idleStopSeconds", o.on_crash as "onCrash", o.allows_neighbours as "allowsNeighbours",
  o.has_agent as "osfHasAgent",
  d.id as "imageId", d.version as "imageVersion", d.file_name as "imageFileName", d.kind as "imageKind",
  d.state as "imageState", d.is_blocked as "imageIsBlocked", d.fault as "imageFault",
  r.state as "reportState", ${ageMs("r.state_at")} as "stateAgeMs", r.generation_seen::float8 as "generationSeen",
  r.tries, -${ageMs("r.next_try_at")} as "nextTryInMs", r.di_id as "diId", r.has_agent as "hasAgent",
  r.x_state as "xState", r.fault_code as "faultCode", r.fault_text as "faultText", r.has_network as "hasNetwork",
  r.crashes, ${ageMs("r.idle_since")} as "idleAgeMs", r.incarnation::float8 as incarnation,
  r.queue_position as "queuePosition", -${ageMs("r.queue_due_at")} as "queueDueInMs",
  s.id::float8 as "sessionId", s.state as "sessionState", ${ageMs("s.requested_at")} as "requestedAgeMs",
  s.client, s.slave_key as "slaveKey", ${WISH_MARKS} as "wishMarks"
from ${vms} v
join ${users} u on u.id = v.user_id
join ${osfs} o on o.id = v.osf_id
join ${nodes} n on n.id = v.node_id
left join ${diTags} t on t.osf_id = v.osf_id and t.tag = v.di_tag
left join ${dis} d on d.id = t.di_id
left join lateral (select * from ${vmReports} where vm_id = v.id limit 1) r on true
${LIVE_SESSION}
where ${which}`;
}

function ageMs(moment: string) {
  return sql.raw(`(extract(epoch from qvd_now() - ${moment}) * 1000)::float8`);
}

export function toDesktop(row: DesktopRow): NodeDesktop {
  return {
    vmId: row.vmId,
    tenantId: row.tenantId,
    name: row.name,
    address: row.address,
    idSlot: row.idSlot,
    epoch: row.epoch,
    isBlocked: row.isBlocked,
    blockedReason: row.blockedReason,
    isDeleted: row.isDeleted,
    drain: row.drain ?? null,
    isShared: row.isShared === true,
    wish: row.wish,
    generation: row.generation,
    wishedBy: row.wishedBy,
    user: { id: row.userId, login: row.login, fullName: row.fullName },
    osf: osfOf(row),
    expiresSoftInMs: row.expiresSoftInMs,
    expiresHardInMs: row.expiresHardInMs,
    diTag: row.diTag,
    image: imageOf(row),
    report: reportOf(row),
    session: sessionOf(row),
    wishMarks: row.wishMarks,
  };
}

function osfOf(row: DesktopRow): NodeDesktop["osf"] {
  const { memoryMb, cpus, hypervisor, persistence, keptFolders, homeMb, systemMb } = row;
  const { idleStopSeconds, onCrash, allowsNeighbours } = row;
  return {
    ...{ id: row.osfId, name: row.osfName, memoryMb, cpus, hypervisor, persistence, keptFolders },
    ...{ homeMb, systemMb, idleStopSeconds, onCrash, allowsNeighbours, hasAgent: row.osfHasAgent },
  };
}

function imageOf(row: DesktopRow): NodeDesktop["image"] {
  if (row.imageId === null) return null;
  return {
    ...{ id: row.imageId, version: row.imageVersion, fileName: row.imageFileName, kind: row.imageKind },
    ...{ state: row.imageState, isBlocked: row.imageIsBlocked, fault: row.imageFault },
  };
}

function reportOf(row: DesktopRow): NodeDesktop["report"] {
  if (row.reportState === null) return null;
  const { stateAgeMs, generationSeen, tries, nextTryInMs, diId, hasAgent, xState, faultCode, faultText } =
    row;
  const { hasNetwork, crashes, idleAgeMs, incarnation, queuePosition, queueDueInMs } = row;
  return {
    ...{ state: row.reportState, stateAgeMs, generationSeen, tries, nextTryInMs, diId, hasAgent, xState },
    ...{ faultCode, faultText, hasNetwork, crashes, idleAgeMs, incarnation, queuePosition, queueDueInMs },
  };
}

function sessionOf(row: DesktopRow): NodeDesktop["session"] {
  if (row.sessionId === null) return null;
  const { sessionState: state, requestedAgeMs, client, slaveKey } = row;
  return { id: row.sessionId, state, requestedAgeMs, client, slaveKey };
}

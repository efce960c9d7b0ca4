/**
 * What a request for a session rests on, and what comes of it: a statement that reads and one that writes, both kept by the
 * server, without a transaction around them, as a person waits. The write takes the desktop's row, and writes nothing where
 * that isn't as it was read.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { brokenConstraint } from "../../db/errors.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { auditLog, osfs, sessions, tenants, users, vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { SessionAccess } from "../../db/schema/sessions.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { NodeId, SessionId, TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { VmState } from "../../domain/vm/state.ts";
import type { Context } from "../context.ts";
import { wishedParts } from "../vm/record-wish.ts";

/** A desktop as somebody wants to sit down at it. */
export type AskedVm = {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly isBlocked: boolean;
  readonly isOwnerBlocked: boolean;
  readonly nodeId: NodeId | null;
  readonly hypervisor: "lxc" | "kvm";
  readonly offersConsole: boolean;
  readonly wish: "running" | "stopped";
  readonly wishGeneration: number;
  readonly report: { readonly state: VmState; readonly generationSeen: number } | undefined;
};

export type SessionRequest = {
  readonly vmId: VmId;
  /** What the trail says. */
  readonly text: string;
  readonly isNewWish: boolean;
  readonly access: SessionAccess;
  readonly client: object;
  readonly parameters: object;
  readonly slaveKey: string;
  readonly clientAddress?: string | undefined;
  readonly brokerNodeId?: NodeId | undefined;
  readonly brokerWorker: string;
};

export type RecordedRequest = {
  readonly sessionId: SessionId;
  readonly eventId: number;
  readonly supersededId: SessionId | null;
};

/** Undefined of one that isn't there, or is being deleted. */
export async function readAskedVm(db: Db, vmId: VmId): Promise<AskedVm | undefined> {
  type Row = Omit<AskedVm, "report"> & { readonly state: VmState | null; readonly generationSeen: number };
  const [row] = await executePrepared<Row>(db, READ, [vmId]);
  if (row === undefined) return undefined;
  const { state, generationSeen, ...vm } = row;
  return { ...vm, report: state === null ? undefined : { state, generationSeen } };
}

const READ = prepared(
  ["int"],
  sql`select v.tenant_id as "tenantId", v.user_id as "userId", v.is_blocked as "isBlocked",
    coalesce(u.is_blocked or t.is_blocked, true) as "isOwnerBlocked", v.node_id as "nodeId", o.hypervisor,
    o.offers_console as "offersConsole", v.wish, v.wish_generation::float8 as "wishGeneration", r.state,
    r.generation_seen::float8 as "generationSeen"
  from ${vms} v
  left join ${users} u on u.id = v.user_id
  left join ${tenants} t on t.id = u.tenant_id
  join ${osfs} o on o.id = v.osf_id
  left join lateral (select * from ${vmReports} where vm_id = v.id limit 1) r on true
  where v.id = $1 and v.deleted_at is null`,
);

/** Undefined where somebody else changed the desktop, or sat down at it, since it was read: nothing is written then. */
export async function recordRequest(
  { db, actor, origin }: Context,
  vm: AskedVm,
  asked: SessionRequest,
): Promise<RecordedRequest | undefined> {
  const { access } = asked;
  // What a console shows, a session doesn't.
  const more = access === "console" ? { access } : {};
  try {
    const [row] = await executePrepared<RecordedRequest>(db, WRITE, [
      ...[asked.vmId, vm.wishGeneration, vm.userId, vm.isBlocked, asked.isNewWish],
      ...[access, JSON.stringify(asked.client), JSON.stringify(asked.parameters), asked.slaveKey],
      ...[asked.clientAddress ?? null, asked.brokerNodeId ?? null, asked.brokerWorker],
      ...[formatActor(actor), origin ?? null, asked.text, JSON.stringify(more)],
    ]);
    return row;
  } catch (error) {
    // Another's session that this statement began too early to see.
    if (brokenConstraint(error) === "sessions_live") return undefined;
    throw error;
  }
}

/** Each part names the one before it that the trail tells of first. */
const WRITE = prepared(
  [
    ...["int", "bigint", "int", "boolean", "boolean"],
    ...["text", "jsonb", "jsonb", "text", "text", "int", "text"],
    ...["text", "text", "text", "jsonb"],
  ],
  sql`
  with asked as (
    select id, tenant_id, name, user_id, wish_generation from ${vms}
    where id = $1 and wish_generation = $2 and user_id = $3 and is_blocked = $4 and deleted_at is null for update
  ), superseded as (
    update ${sessions} set superseded_at = qvd_now() from asked
    where sessions.vm_id = asked.id and ended_at is null and superseded_at is null returning sessions.id
  ), told_over as (
    insert into ${vmEvents} (vm_id, code, text, wish_generation, actor, detail)
    select asked.id, 'session-superseded', 'A newer client takes the session over.', wish_generation, $13,
      jsonb_build_object('sessionId', superseded.id)
    from asked, superseded returning id
  ), made as (
    insert into ${sessions} (vm_id, user_id, access, client, parameters, slave_key, client_address, broker_node_id,
      broker_worker)
    select id, user_id, $6, $7, $8, $9, $10, $11, $12 from asked where (select count(*) from told_over) >= 0
    returning id
  ), told_asked as (
    insert into ${vmEvents} (vm_id, code, text, wish_generation, actor, detail)
    select asked.id, 'session-requested', $15, wish_generation, $13,
      jsonb_build_object('sessionId', made.id, 'clientAddress', $10, 'access', $6)
    from asked, made returning id
  ), ${wishedParts({
    which: sql`$5 and id in (select asked.id from asked, told_asked)`,
    wish: sql`'running'`,
    text: sql`'Asked to start, for a session.'`,
    actor: sql`$13`,
    audit: undefined,
  })}, audited as (
    insert into ${auditLog} (actor, origin, action, tenant_id, subject_kind, subject_id, subject_name, detail)
    select $13, $14, 'session.request', tenant_id, 'vm', asked.id, name,
      jsonb_build_object('sessionId', made.id) || $16
    from asked, made
  )
  select made.id::float8 as "sessionId", told_asked.id::float8 as "eventId",
    (select id from superseded)::float8 as "supersededId"
  from made, told_asked`,
);

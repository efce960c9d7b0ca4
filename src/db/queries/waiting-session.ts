/**
 * All that the fate of a waiting client depends on, in one read: its sitting, the desktop, what the trail says since.
 * Each waiting client asks it several times a second while its desktop comes up, a thousand at once in a storm, so the
 * server keeps the statement. Nothing is built in the process that carries everybody's bytes.
 */

import { sql } from "drizzle-orm";
import type { NodeId, SessionId, UserId, VmId } from "../../domain/ids.ts";
import type { VmEventCode } from "../../domain/vm/event.ts";
import type { VmState } from "../../domain/vm/state.ts";
import type { Db } from "../client.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { nodes, osfs, sessions, vmEvents, vmReports, vms } from "../schema/index.ts";

const MOST_EVENTS = 100;

export type WaitingSession = {
  readonly state: "requested" | "preparing" | "listening" | "failed";
  readonly isSuperseded: boolean;
  readonly isEnded: boolean;
  readonly isEndWished: boolean;
  readonly address: string | null;
  readonly port: number | null;
  readonly faultText: string | null;
  readonly vmId: VmId;
  readonly userId: UserId;
  readonly name: string;
  readonly isBlocked: boolean;
  readonly isDeleted: boolean;
  readonly wish: "running" | "stopped";
  readonly isApplication: boolean;
  /** Null before a node's first report. */
  readonly vmState: VmState | null;
  readonly queuePosition: number | null;
  readonly dueInMs: number | null;
  readonly nodeId: NodeId | null;
  readonly node: string | null;
  readonly nodeAddress: string | null;
  /** Oldest first, at most 100. */
  readonly events: readonly { readonly id: number; readonly code: VmEventCode; readonly text: string }[];
};

const WAITING = prepared(
  ["bigint", "bigint"],
  sql`select s.state, s.superseded_at is not null as "isSuperseded", s.ended_at is not null as "isEnded",
  s.end_wished_at is not null as "isEndWished", host(s.address) as address, s.port, s.fault_text as "faultText",
  v.id as "vmId", v.user_id as "userId", v.name, v.is_blocked as "isBlocked", v.deleted_at is not null as "isDeleted",
  v.wish, o.is_application as "isApplication", r.state as "vmState", r.queue_position as "queuePosition",
  (extract(epoch from r.queue_due_at - qvd_now()) * 1000)::float8 as "dueInMs",
  n.id as "nodeId", n.name as node, n.address as "nodeAddress",
  coalesce((select jsonb_agg(jsonb_build_object('id', e.id, 'code', e.code, 'text', e.text) order by e.id)
    from (select id, code, text from ${vmEvents} where vm_id = s.vm_id and id > $2 order by id limit ${sql.raw(`${MOST_EVENTS}`)}) e),
    '[]'::jsonb) as events
from ${sessions} s
join ${vms} v on v.id = s.vm_id
join ${osfs} o on o.id = v.osf_id
left join ${vmReports} r on r.vm_id = v.id
left join ${nodes} n on n.id = v.node_id
where s.id = $1`,
);

/** Outside of transactions. Undefined when there is no such sitting. */
export async function readWaitingSession(
  db: Db,
  sessionId: SessionId,
  afterEventId: number,
): Promise<WaitingSession | undefined> {
  const [row] = await executePrepared<WaitingSession>(db, WAITING, [sessionId, afterEventId]);
  return row;
}

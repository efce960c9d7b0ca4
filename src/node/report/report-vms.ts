/**
 * Writes what is true of desktops, and their trails: the one writer of `vm_reports`. All that one pass has to
 * say goes in one statement, each row guarded by its epoch: of a desktop that is no longer this node's nothing
 * is written, and the others' rows are.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { LIVE_SESSION, WISH_MARKS } from "../../db/queries/wish-marks.ts";
import { vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { VmReport } from "../../domain/vm/facts.ts";
import type { VmEventDraft } from "../../domain/vm/steps.ts";
import { storableText } from "./storable-text.ts";

export type VmReportWrite = {
  readonly vmId: VmId;
  readonly epoch: number;
  readonly report: VmReport;
  readonly events: readonly VmEventDraft[];
};

/**
 * Returns the desktops that were written, each with the marks of what is wished of it now; the rest is no longer this
 * node's. A desktop may be told of once in a call. `nowMs` is of the clock that the reports' moments are by.
 */
export async function reportVms(
  db: Db,
  writes: readonly VmReportWrite[],
  by: { readonly nodeId: NodeId; readonly nowMs: number },
): Promise<ReadonlyMap<VmId, string>> {
  if (writes.length === 0) return new Map();
  const given = JSON.stringify(
    writes.map((write) => rowOf(write, by.nowMs)),
    storable,
  );
  const rows = await executePrepared<{ id: VmId; wishMarks: string }>(db, STATEMENT, [by.nodeId, given]);
  return new Map(rows.map(({ id, wishMarks }) => [id, wishMarks]));
}

const STATEMENT = prepared(
  ["int", "text"],
  sql`
  with ours as materialized (
    select g.*, ${WISH_MARKS} as wish_marks, qvd_now() as now
    from jsonb_to_recordset($2::jsonb) as g(vm_id int, epoch bigint, state text,
      generation_seen bigint, tries int, next_try_in float8, di_id int, has_agent boolean, x_state text,
      fault_code text, fault_text text, queue_position int, queue_due_in float8, has_network boolean,
      crashes int, idle_for float8, incarnation bigint, events jsonb)
    cross join lateral (select * from ${vms} where id = g.vm_id limit 1) v
    ${LIVE_SESSION}
    where v.node_id is not distinct from $1 and v.epoch = g.epoch
  ), written as (
    insert into ${vmReports} as r (vm_id, node_id, epoch, state, state_at, generation_seen, tries, next_try_at,
      di_id, has_agent, x_state, fault_code, fault_text, queue_position, queue_due_at, has_network, crashes,
      idle_since, incarnation, reported_at)
    select vm_id, $1, epoch, state, now, generation_seen, tries, now + next_try_in * interval '1 millisecond',
      di_id, has_agent, x_state, fault_code, fault_text, queue_position,
      now + queue_due_in * interval '1 millisecond', has_network, crashes,
      now - idle_for * interval '1 millisecond', incarnation, now
    from ours
    on conflict (vm_id) do update set
      node_id = excluded.node_id, epoch = excluded.epoch, state = excluded.state,
      state_at = case when r.state = excluded.state then r.state_at else excluded.state_at end,
      generation_seen = excluded.generation_seen, tries = excluded.tries, next_try_at = excluded.next_try_at,
      di_id = excluded.di_id, has_agent = excluded.has_agent, x_state = excluded.x_state,
      fault_code = excluded.fault_code, fault_text = excluded.fault_text,
      queue_position = excluded.queue_position, queue_due_at = excluded.queue_due_at,
      has_network = excluded.has_network, crashes = excluded.crashes, idle_since = excluded.idle_since,
      incarnation = excluded.incarnation, reported_at = excluded.reported_at
    where r.epoch <= excluded.epoch
    returning vm_id
  ), told as (
    insert into ${vmEvents} (vm_id, at, node_id, code, text, wish_generation, detail)
    select o.vm_id, o.now, $1, e.code, e.text, o.generation_seen, nullif(e.detail, 'null'::jsonb)
    from written join ours o using (vm_id), rows from (jsonb_to_recordset(o.events) as
      (code text, text text, detail jsonb)) with ordinality as e(code, text, detail, position)
    order by o.vm_id, e.position
  )
  select vm_id as id, wish_marks as "wishMarks" from written join ours using (vm_id)`,
);

/** One desktop's words must not stop the others' rows. */
function storable(_key: string, value: unknown): unknown {
  return typeof value === "string" ? storableText(value) : value;
}

function rowOf({ vmId, epoch, report, events }: VmReportWrite, nowMs: number) {
  const from = (atMs: number | undefined) => (atMs === undefined ? null : atMs - nowMs);
  const idleIn = from(report.idleSinceMs);
  return {
    vm_id: vmId,
    epoch,
    state: report.state,
    generation_seen: report.generationSeen,
    tries: report.tries,
    next_try_in: from(report.nextTryAtMs),
    di_id: report.diId ?? null,
    has_agent: report.hasAgent,
    x_state: report.xState,
    fault_code: report.fault?.code ?? null,
    fault_text: report.fault?.text ?? null,
    queue_position: report.queuePosition ?? null,
    queue_due_in: from(report.queueDueAtMs),
    has_network: report.hasNetwork ?? null,
    crashes: report.crashes,
    idle_for: idleIn === null ? null : -idleIn,
    incarnation: report.incarnation,
    events: events.map(({ code, text, detail }) => ({ code, text, detail: detail ?? null })),
  };
}

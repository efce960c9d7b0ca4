/**
 * Writes what is true of a desktop, and its trail, in one statement: the one writer of `vm_reports`. Guarded
 * by the epoch: a node that no longer owns the desktop writes nothing.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { VmReport } from "../../domain/vm/facts.ts";
import type { VmEventDraft } from "../../domain/vm/steps.ts";

export type VmReportWrite = {
  readonly vmId: VmId;
  readonly epoch: number;
  readonly report: VmReport;
  readonly events: readonly VmEventDraft[];
};

/** False when this node no longer owns the desktop. */
export async function reportVm(
  db: Db,
  write: VmReportWrite,
  by: { readonly nodeId: NodeId; readonly nowMs: number },
): Promise<boolean> {
  const { report, vmId } = write;
  const nextTryInMs = report.nextTryAtMs === undefined ? null : report.nextTryAtMs - by.nowMs;
  const events = JSON.stringify(
    write.events.map(({ code, text, detail }) => ({ code, text, detail: detail ?? null })),
  );
  const rows = await db.execute<{ id: number }>(sql`
    with written as (
      insert into ${vmReports} as r (vm_id, node_id, epoch, state, generation_seen, tries, next_try_at, di_id,
        has_agent, x_state, fault_code, fault_text)
      select id, node_id, epoch, ${report.state}, ${report.generationSeen}::bigint, ${report.tries}::int,
        qvd_now() + ${nextTryInMs}::float8 * interval '1 millisecond', ${report.diId ?? null}::int,
        ${report.hasAgent}::boolean, ${report.xState}, ${report.fault?.code ?? null}, ${report.fault?.text ?? null}
      from ${vms} where id = ${vmId} and node_id = ${by.nodeId} and epoch = ${write.epoch}
      on conflict (vm_id) do update set
        node_id = excluded.node_id, epoch = excluded.epoch, state = excluded.state,
        state_at = case when r.state = excluded.state then r.state_at else qvd_now() end,
        generation_seen = excluded.generation_seen, tries = excluded.tries, next_try_at = excluded.next_try_at,
        di_id = excluded.di_id, has_agent = excluded.has_agent, x_state = excluded.x_state,
        fault_code = excluded.fault_code, fault_text = excluded.fault_text, reported_at = qvd_now()
      where r.epoch <= excluded.epoch
      returning vm_id
    ), told as (
      insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
      select written.vm_id, ${by.nodeId}::int, e.code, e.text, ${report.generationSeen}::bigint,
        nullif(e.detail, 'null'::jsonb)
      from written, rows from (jsonb_to_recordset(${events}::text::jsonb) as (code text, text text, detail jsonb))
        with ordinality as e(code, text, detail, position)
      order by e.position
    )
    select vm_id as id from written`);
  return rows.length > 0;
}

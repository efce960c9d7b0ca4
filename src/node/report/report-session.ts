/** Writes whether a sitting's X session waits for its client, and where: the node's word, never the guest's. */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { sessions, vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { SessionReportPatch } from "../../domain/vm/steps.ts";

export type SessionReportWrite = {
  readonly vmId: VmId;
  readonly epoch: number;
  readonly generation: number;
  readonly patch: SessionReportPatch;
  /** Where the broker connects to once the session listens. */
  readonly address: string;
  readonly port: number;
  /** The same for a session that a browser shows. */
  readonly displayPort: number;
};

/** False when the sitting is over, superseded, or the desktop no longer this node's. */
export async function reportSession(
  db: Db,
  write: SessionReportWrite,
  by: { readonly nodeId: NodeId },
): Promise<boolean> {
  const { patch } = write;
  const isListening = patch.state === "listening";
  const events = JSON.stringify(patch.events.map(({ code, text }) => ({ code, text })));
  const rows = await db.execute<{ id: number }>(sql`
    with written as (
      update ${sessions} set state = ${patch.state}, state_at = qvd_now(),
        address = ${isListening ? write.address : null}::inet,
        port = case sessions.access when 'browser' then ${isListening ? write.displayPort : null}::int
          else ${isListening ? write.port : null}::int end,
        fault_code = ${patch.fault?.code ?? null}, fault_text = ${patch.fault?.text ?? null}
      from ${vms}
      where sessions.id = ${patch.sessionId} and vms.id = sessions.vm_id and vms.id = ${write.vmId}
        and vms.node_id = ${by.nodeId} and vms.epoch = ${write.epoch}
        and sessions.ended_at is null and sessions.superseded_at is null
      returning vms.id as vm_id
    ), told as (
      insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
      select written.vm_id, ${by.nodeId}::int, e.code, e.text, ${write.generation}::bigint,
        jsonb_build_object('session', ${patch.sessionId}::bigint)
      from written, rows from (jsonb_to_recordset(${events}::text::jsonb) as (code text, text text))
        with ordinality as e(code, text, position)
      order by e.position
    )
    select vm_id as id from written`);
  return rows.length > 0;
}

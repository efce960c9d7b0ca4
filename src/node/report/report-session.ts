/** Writes whether a sitting's X session waits for its client, and where: the node's word, never the guest's. */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { sessions, vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { SessionReportPatch } from "../../domain/vm/steps.ts";
import { storableText } from "./storable-text.ts";

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
  const rows = await executePrepared<{ id: number }>(db, STATEMENT, [
    by.nodeId,
    write.vmId,
    write.epoch,
    write.generation,
    patch.sessionId,
    patch.state,
    isListening ? write.address : null,
    isListening ? write.port : null,
    isListening ? write.displayPort : null,
    patch.fault?.code ?? null,
    patch.fault === undefined ? null : storableText(patch.fault.text),
    JSON.stringify(patch.events.map(({ code, text }) => ({ code, text: storableText(text) }))),
  ]);
  return rows.length > 0;
}

const STATEMENT = prepared(
  ["int", "int", "bigint", "bigint", "bigint", "text", "inet", "int", "int", "text", "text", "jsonb"],
  sql`
  with written as (
    update ${sessions} set state = $6, state_at = qvd_now(), address = $7,
      port = case sessions.access when 'browser' then $9 else $8 end, fault_code = $10, fault_text = $11
    from ${vms}
    where sessions.id = $5 and vms.id = sessions.vm_id and vms.id = $2 and vms.node_id = $1 and vms.epoch = $3
      and sessions.ended_at is null and sessions.superseded_at is null
    returning vms.id as vm_id
  ), told as (
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
    select written.vm_id, $1, e.code, e.text, $4, jsonb_build_object('session', $5)
    from written, rows from (jsonb_to_recordset($12) as (code text, text text))
      with ordinality as e(code, text, position)
    order by e.position
  )
  select vm_id as id from written`,
);

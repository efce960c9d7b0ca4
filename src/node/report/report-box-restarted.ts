/**
 * After a start of the machine: desktops that ran on this box are down with it. That is no failure of theirs, so
 * whoever is wished up starts afresh, with all its tries. Told once, by the first node process of the machine.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { sessions, vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";

const TEXT = "The box was switched off or crashed, and the desktop with it; the box is back.";

/** `alive` are those that run nevertheless. Returns how many were told of. */
export async function reportBoxRestarted(
  db: Db,
  of: { readonly nodeId: NodeId; readonly alive: readonly VmId[] },
): Promise<number> {
  const alive = JSON.stringify(of.alive);
  const rows = await db.execute(sql`
    with ended as (
      update ${vmReports} set state = 'stopped', state_at = qvd_now(), tries = 0, next_try_at = null,
        has_agent = false, x_state = 'none', fault_code = null, fault_text = null, has_network = null,
        queue_position = null, queue_due_at = null, idle_since = null, reported_at = qvd_now()
      from ${vms} v
      where v.id = vm_reports.vm_id and v.node_id = ${of.nodeId} and vm_reports.node_id = v.node_id
        and vm_reports.epoch = v.epoch and (vm_reports.state <> 'stopped' or vm_reports.tries > 0)
        and not (${alive}::text::jsonb @> to_jsonb(v.id))
      returning v.id, v.wish_generation
    ), again as (
      update ${sessions} set state = 'requested', state_at = qvd_now(), address = null, port = null
      from ended where sessions.vm_id = ended.id and ended_at is null and superseded_at is null
        and connected_at is null and state <> 'failed'
    )
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation)
    select id, ${of.nodeId}::int, 'desktop-ended', ${TEXT}, wish_generation from ended order by id
    returning id`);
  return rows.length;
}

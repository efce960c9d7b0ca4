/**
 * What is true of desktops whose node was lost, told by the node that proved it: they are down, and whoever gets
 * them starts afresh. A client that waits goes on waiting; the new node serves it.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { sessions, vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";

export type TakenOver = {
  readonly vmIds: readonly VmId[];
  readonly lost: { readonly nodeId: NodeId; readonly name: string };
  readonly reason: string;
  /** Who proved it. */
  readonly by: NodeId;
};

export async function reportTakenOver(tx: Db, taken: TakenOver): Promise<void> {
  if (taken.vmIds.length === 0) return;
  const ids = sql`(${sql.join(
    taken.vmIds.map((vmId) => sql`${vmId}::int`),
    sql`, `,
  )})`;
  await tx.execute(sql`
    update ${vmReports} set node_id = null, epoch = v.epoch, state = 'stopped', state_at = qvd_now(), tries = 0,
      next_try_at = null, has_agent = false, x_state = 'none', fault_code = null, fault_text = null,
      has_network = null, queue_position = null, queue_due_at = null, idle_since = null, reported_at = qvd_now()
    from ${vms} v where v.id = vm_reports.vm_id and v.id in ${ids}`);
  await tx.execute(sql`
    update ${sessions} set state = 'requested', state_at = qvd_now(), address = null, port = null
    where vm_id in ${ids} and ended_at is null and superseded_at is null and connected_at is null
      and state <> 'failed'`);
  const moved = `Node ${taken.lost.name} is lost (${taken.reason}); the desktop is started on another node, with its home.`;
  const idle = `Node ${taken.lost.name} is lost (${taken.reason}); the desktop will be started on another node when somebody wants it.`;
  await tx.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
    select v.id, ${taken.by}::int, 'desktop-taken-over', case when v.wish = 'running' then ${moved} else ${idle} end,
      v.wish_generation, jsonb_build_object('lostNode', ${taken.lost.nodeId}::int)
    from ${vms} v where v.id in ${ids} and v.deleted_at is null order by v.id`);
}

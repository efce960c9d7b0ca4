import { sql } from "drizzle-orm";
import { auditLog, vms } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

export type ChosenNode = { readonly vmId: VmId; readonly nodeId: NodeId };

/**
 * Gives unplaced desktops to nodes, each under a new epoch, with their audit rows: one statement for all of a
 * plan. Returns those that were still unplaced.
 */
export async function placeVms(
  context: Context,
  chosen: readonly ChosenNode[],
): Promise<readonly ChosenNode[]> {
  authorize(context, "vm.place", { what: `${chosen.length} desktops` });
  if (chosen.length === 0) return [];
  const plan = JSON.stringify(chosen.map(({ vmId, nodeId }) => ({ v: vmId, n: nodeId })));
  return await change(context, { doing: `place ${chosen.length} desktops` }, async (inside) => {
    const rows = await inside.db.execute<{ vmId: VmId; nodeId: NodeId }>(sql`
      with placed as (
        update ${vms} set node_id = p.n, epoch = epoch + 1
        from jsonb_to_recordset(${plan}::text::jsonb) as p (v int, n int)
        where vms.id = p.v and vms.node_id is null
        returning vms.id, vms.tenant_id, vms.name, vms.node_id, vms.epoch
      ), audited as (
        insert into ${auditLog} (actor, origin, action, tenant_id, subject_kind, subject_id, subject_name, detail)
        select ${formatActor(inside.actor)}, ${inside.origin ?? null}::text, 'vm.place', tenant_id, 'vm', id, name,
          jsonb_build_object('nodeId', node_id, 'epoch', epoch) from placed
      )
      select id as "vmId", node_id as "nodeId" from placed order by id`);
    return rows.map(({ vmId, nodeId }) => ({ vmId, nodeId }));
  });
}

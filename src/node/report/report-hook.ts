import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";

/** Tells the trail that a hook failed, the image's or the box's; nothing where the desktop is no longer this node's. */
export async function reportHookFailure(
  db: Db,
  nodeId: NodeId,
  failure: { readonly vmId: VmId; readonly hook: string; readonly text: string },
): Promise<void> {
  const { vmId, hook, text } = failure;
  await db.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
    select id, ${nodeId}::int, 'hook-failed', ${text}, wish_generation, jsonb_build_object('hook', ${hook}::text)
    from ${vms} where id = ${vmId} and node_id = ${nodeId}`);
}

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";

/** Tells the trail why nobody takes the desktop; once for each wish, however often it is tried. */
export async function reportRefusedPlacement(
  db: Db,
  refusal: { readonly vmId: VmId; readonly text: string; readonly nodeId: NodeId },
): Promise<void> {
  await db.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation)
    select v.id, ${refusal.nodeId}::int, 'placement-refused', ${refusal.text}, v.wish_generation
    from ${vms} v where v.id = ${refusal.vmId} and not exists (
      select from ${vmEvents} e where e.vm_id = v.id and e.wish_generation = v.wish_generation
        and e.code = 'placement-refused' and e.text = ${refusal.text})`);
}

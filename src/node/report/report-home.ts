import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";

export type HomeOverLimit = { readonly vmId: VmId; readonly homeOverMb: number; readonly limitMb: number };

/** Tells the trail that a lowered limit can't be kept; nothing where the desktop is no longer this node's. */
export async function reportHomeOverLimit(db: Db, nodeId: NodeId, home: HomeOverLimit): Promise<void> {
  const { vmId, homeOverMb, limitMb } = home;
  const text = `Its home stays ${homeOverMb} MB large: what is in it has no room within the limit of ${limitMb} MB, or the disk none for a smaller copy. Every start tries it again.`;
  await db.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
    select id, ${nodeId}::int, 'home-over-limit', ${text}, wish_generation,
      jsonb_build_object('sizeMb', ${homeOverMb}::int, 'limitMb', ${limitMb}::int)
    from ${vms} where id = ${vmId} and node_id = ${nodeId}`);
}

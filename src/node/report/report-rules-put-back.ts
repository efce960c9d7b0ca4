import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";

/** Tells the trail of each desktop that runs here that for a moment nothing kept it from others. */
export async function reportRulesPutBack(
  db: Db,
  nodeId: NodeId,
  of: { readonly by: string | undefined },
): Promise<void> {
  const by = of.by ?? "another program";
  const text = `The rules that keep desktops apart were taken away on this box by ${by}, and put back at once.`;
  await db.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation)
    select v.id, ${nodeId}::int, 'rules-put-back', ${text}, v.wish_generation
    from ${vms} v join ${vmReports} r on r.vm_id = v.id
    where v.node_id = ${nodeId} and r.epoch = v.epoch and r.state <> 'stopped' order by v.id`);
}

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { Rejected } from "../../domain/node/judge-candidate.ts";

export type RefusedPlacement = {
  readonly vmId: VmId;
  readonly text: string;
  /** Each node with why it can't. */
  readonly candidates: readonly Rejected[];
};

/**
 * Tells the trails why nobody takes the desktops, in one statement; once for each wish, however often it is
 * tried.
 */
export async function reportRefusedPlacements(
  db: Db,
  nodeId: NodeId,
  refusals: readonly RefusedPlacement[],
): Promise<void> {
  if (refusals.length === 0) return;
  const rows = JSON.stringify(
    refusals.map(({ vmId, text, candidates }) => ({ v: vmId, t: text, d: { candidates } })),
  );
  await db.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
    select v.id, ${nodeId}::int, 'placement-refused', r.t, v.wish_generation, r.d
    from jsonb_to_recordset(${rows}::text::jsonb) as r (v int, t text, d jsonb) join ${vms} v on v.id = r.v
    where not exists (
      select from ${vmEvents} e where e.vm_id = v.id and e.wish_generation = v.wish_generation
        and e.code = 'placement-refused' and e.text = r.t)`);
}

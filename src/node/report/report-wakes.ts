/**
 * Wakes boxes that poll: the one writer of `node_wakes`. A desktop's wake goes to its node and to the box whose
 * broker waits for it, one about no desktop to all.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { nodes, nodeWakes, sessions, vms } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import type { Wake } from "../../wire/wake/messages.ts";

/** Sorted, so that two boxes that wake the same others never wait for each other in a ring. */
export async function reportWakes(db: Db, wakes: readonly Wake[], by: NodeId): Promise<void> {
  const vmIds = wakes.flatMap(({ vmId }) => (vmId === undefined ? [] : [vmId]));
  const isForAll = vmIds.length < wakes.length;
  // An array, whose length the planner knows: the rows are found by their indexes.
  const ids = sql`any (${`{${vmIds.join(",")}}`}::int[])`;
  const concerned = isForAll
    ? sql`select id from ${nodes}`
    : sql`select node_id from ${vms} where id = ${ids}
        union select broker_node_id from ${sessions}
        where vm_id = ${ids} and ended_at is null and superseded_at is null`;
  await db.execute(sql`
    insert into ${nodeWakes} as w (node_id, count)
    select id, 1 from (${concerned}) as c (id) where id is not null and id <> ${by} order by id
    on conflict (node_id) do update set count = w.count + 1`);
}

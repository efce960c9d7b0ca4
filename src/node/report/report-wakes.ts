/**
 * Wakes boxes that poll: the one writer of `node_wakes`. A desktop's wake goes to its node and to the box whose
 * broker waits for it, one about no desktop to all. One that is lost is made good for, like any.
 */

import { type SQL, sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { FORGETTABLE } from "../../db/forgettable.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { nodes, nodeWakes, sessions, vms } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import type { Wake } from "../../wire/wake/messages.ts";

/** Sorted, so that two boxes that wake the same others never wait for each other in a ring. */
export async function reportWakes(db: Db, wakes: readonly Wake[], by: NodeId): Promise<void> {
  const vmIds = wakes.flatMap(({ vmId }) => (vmId === undefined ? [] : [vmId]));
  if (vmIds.length < wakes.length) await executePrepared(db, TELL_ALL, [by]);
  else if (vmIds.length > 0) await executePrepared(db, TELL_CONCERNED, [by, vmIds]);
}

const TELL_ALL = prepared(["int"], tell(sql`select id from ${nodes}`));
// An array, whose length the planner guesses small: the rows are found by their indexes.
const TELL_CONCERNED = prepared(
  ["int", "int[]"],
  tell(sql`select node_id from ${vms} where id = any ($2)
    union select broker_node_id from ${sessions}
    where vm_id = any ($2) and ended_at is null and superseded_at is null`),
);

function tell(concerned: SQL): SQL {
  return sql`
insert into ${nodeWakes} as w (node_id, count)
select id, 1 from (${concerned}) as c (id) where id <> $1 order by id
on conflict (node_id) do update set count = w.count + 1 returning ${FORGETTABLE}`;
}

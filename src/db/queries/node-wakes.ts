/** What a box of a large site reads each second instead of listening. */

import { sql } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { nodes, nodeWakes } from "../schema/index.ts";

/** Grows with each wake that was meant for this node; one indexed row. */
export async function readWakeCount(db: Db, nodeId: NodeId): Promise<number> {
  const [row] = await executePrepared<{ count: number }>(db, COUNT, [nodeId]);
  return row?.count ?? 0;
}

const COUNT = prepared(["int"], sql`select count::float8 as count from ${nodeWakes} where node_id = $1`);

export async function countNodes(db: Db): Promise<number> {
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(nodes);
  return row?.count ?? 0;
}

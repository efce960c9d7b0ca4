/** What a box of a large site reads each second instead of listening. */

import { eq, sql } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { nodes, nodeWakes } from "../schema/index.ts";

/** Grows with each wake that was meant for this node; one indexed row. */
export async function readWakeCount(db: Db, nodeId: NodeId): Promise<number> {
  const [row] = await db
    .select({ count: nodeWakes.count })
    .from(nodeWakes)
    .where(eq(nodeWakes.nodeId, nodeId));
  return row?.count ?? 0;
}

export async function countNodes(db: Db): Promise<number> {
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(nodes);
  return row?.count ?? 0;
}

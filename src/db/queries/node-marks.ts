/**
 * Whether anything of a node's desktops is wished otherwise than when it last read them all: one row, read
 * from indexes, in place of all their rows. It may say "changed" of what a node has seen already; never the
 * other way.
 */

import { and, eq, isNull, sql } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { nodes, sessions, vms } from "../schema/index.ts";

export type NodeMarks = {
  /** Compares equal as long as nothing is wished anew. */
  readonly wishes: string;
  /** Some desktop waits for a node to take it. */
  readonly hasUnplaced: boolean;
};

export async function readNodeMarks(db: Db, nodeId: NodeId): Promise<NodeMarks> {
  const isLive = and(isNull(sessions.endedAt), isNull(sessions.supersededAt));
  const mark = sql`concat_ws(' ', ${vms.id}, ${vms.epoch}, ${vms.wishGeneration}, ${vms.isBlocked}, ${vms.deletedAt},
    ${vms.diTag}, ${vms.expiresSoftAt}, ${vms.expiresHardAt}, ${sessions.id}, ${sessions.state})`;
  const [row] = await db
    .select({
      wishes: sql<string>`concat(md5(string_agg(${mark}, ',' order by ${vms.id})),
        (select ${nodes.drain} from ${nodes} where ${nodes.id} = ${nodeId}))`,
      hasUnplaced: sql<boolean>`exists (select from ${vms} u where u.node_id is null and u.wish = 'running'
        and u.deleted_at is null)`,
    })
    .from(vms)
    .leftJoin(sessions, and(eq(sessions.vmId, vms.id), isLive))
    .where(eq(vms.nodeId, nodeId));
  return { wishes: row?.wishes ?? "", hasUnplaced: row?.hasUnplaced ?? false };
}

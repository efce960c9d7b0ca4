/** What a box that watches others reads of their leases. */

import { sql } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { leases, nodes } from "../schema/index.ts";

export type Neighbour = { readonly nodeId: NodeId; readonly name: string };

/**
 * The boxes that this one watches: those of its shared storage that follow it in a ring by id, at most `limit`.
 * Each box is so watched by as many; those that are lost already leave the ring.
 */
export async function listNeighbours(
  db: Db,
  of: { readonly nodeId: NodeId; readonly sharedId: string; readonly limit: number },
): Promise<readonly Neighbour[]> {
  const some = (side: ReturnType<typeof sql>) => sql`(
    select n.id as "nodeId", n.name from ${nodes} n join ${leases} l on l.node_id = n.id
    where ${side} and n.shared_id = ${of.sharedId} and l.lost_at is null and l.fences
    order by n.id limit ${of.limit})`;
  return await db.execute<Neighbour>(sql`
    ${some(sql`n.id > ${of.nodeId}`)} union all ${some(sql`n.id < ${of.nodeId}`)} limit ${of.limit}`);
}

export type LeaseSight = {
  readonly nodeId: NodeId;
  readonly epoch: number;
  /** By the database's clock. */
  readonly hasLapsed: boolean;
  readonly fences: boolean;
  /** When this database server began; another one is another server. */
  readonly serverStartedAt: string;
};

/** Rows of boxes that nobody has taken over from yet. */
export async function listLeases(db: Db, nodeIds: readonly NodeId[]): Promise<readonly LeaseSight[]> {
  const ids = sql.join(
    nodeIds.map((nodeId) => sql`${nodeId}::int`),
    sql`, `,
  );
  const rows = await db.execute<LeaseSight>(sql`
    select node_id as "nodeId", epoch::float8 as epoch, valid_until < qvd_now() as "hasLapsed", fences,
      pg_postmaster_start_time()::text as "serverStartedAt"
    from ${leases} where lost_at is null and node_id in (${ids})`);
  return rows;
}

/**
 * The half of the right to run that lies in the database: the one writer of `leases`. A keeper takes and renews
 * its own row; whoever takes over moves the epoch on, once, and only of a row that has lapsed.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { leases, nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";

export type LeaseRow = {
  readonly epoch: number;
  /** Another box has taken over, and this one has not come back yet. */
  readonly isLost: boolean;
};

export type RowRenewal = {
  /** False when another box has taken over, or the node was removed. */
  readonly isStanding: boolean;
  /** Other boxes of the same shared storage: those that could take over. */
  readonly peers: number;
};

/** Takes the row as it is; makes it when there is none. An epoch that has moved on is left so. */
export async function readOrMakeRow(db: Db, nodeId: NodeId, validMs: number): Promise<LeaseRow> {
  const rows = await db.execute<{ epoch: string | number; isLost: boolean }>(sql`
    with made as (
      insert into ${leases} (node_id, valid_until) values (${nodeId}, qvd_now() + ${inMs(validMs)})
      on conflict (node_id) do nothing returning epoch, lost_at
    )
    select epoch, lost_at is not null as "isLost" from made
    union all select epoch, lost_at is not null from ${leases} where node_id = ${nodeId} limit 1`);
  return { epoch: Number(rows[0]?.epoch ?? 1), isLost: rows[0]?.isLost ?? false };
}

export async function renewRow(
  db: Db,
  renewal: {
    readonly nodeId: NodeId;
    readonly epoch: number;
    readonly validMs: number;
    readonly fences: boolean;
  },
): Promise<RowRenewal> {
  const { nodeId, epoch, validMs, fences } = renewal;
  const rows = await executePrepared<{ peers: number }>(db, RENEW, [nodeId, epoch, validMs, fences]);
  return { isStanding: rows.length > 0, peers: rows[0]?.peers ?? 0 };
}

// Of a box that nobody takes over from the row is only shown: that renewal waits for no disk. The one that takes the
// promise back does: what is read of the row beside its change is still the row before it.
const RENEW = prepared(
  ["int", "bigint", "float8", "boolean"],
  sql`update ${leases} set renewed_at = qvd_now(), valid_until = qvd_now() + $3 * interval '1 millisecond',
      fences = $4
    where node_id = $1 and epoch = $2 and lost_at is null
    returning (select count(*)::int from ${nodes} other join ${nodes} me on me.id = $1
      where other.id <> me.id and other.shared_id = me.shared_id) as peers,
      case when not $4 and not (select was.fences from ${leases} was where was.node_id = $1)
        then set_config('synchronous_commit', 'off', true) end as forgettable`,
);

/** After everything of the old epoch is gone from the box: begins anew. Undefined when the node was removed. */
export async function retakeRow(db: Db, nodeId: NodeId, validMs: number): Promise<number | undefined> {
  const rows = await db.execute<{ epoch: string | number }>(sql`
    update ${leases} set renewed_at = qvd_now(), valid_until = qvd_now() + ${inMs(validMs)}, lost_at = null,
      epoch = epoch + 1
    where node_id = ${nodeId} returning epoch`);
  return rows[0] === undefined ? undefined : Number(rows[0].epoch);
}

/** Moves the epoch on. False when the box has renewed its row meanwhile, or another was first. */
export async function loseRow(tx: Db, nodeId: NodeId, epoch: number): Promise<boolean> {
  const rows = await tx.execute(sql`
    update ${leases} set epoch = epoch + 1, lost_at = qvd_now()
    where node_id = ${nodeId} and epoch = ${epoch} and lost_at is null and fences and valid_until < qvd_now()
    returning node_id`);
  return rows.length > 0;
}

function inMs(ms: number) {
  return sql`${ms}::float8 * interval '1 millisecond'`;
}

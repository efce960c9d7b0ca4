/**
 * Whether anything of a node's desktops is wished otherwise than when it last read them all: one row, read
 * from indexes, in place of all their rows. It may say "changed" of what a node has seen already; never the
 * other way.
 */

import { sql } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { nodes, vms } from "../schema/index.ts";
import { LIVE_SESSION, WISH_MARKS } from "./wish-marks.ts";

export type NodeMarks = {
  /**
   * Compares equal as long as nothing is wished anew. Whether the node is drained, and a line for each desktop: its id
   * and the same marks that a read of it and the answer to a report bring.
   */
  readonly wishes: string;
  /** Some desktop waits for a node to take it. */
  readonly hasUnplaced: boolean;
};

export async function readNodeMarks(db: Db, nodeId: NodeId): Promise<NodeMarks> {
  const [row] = await executePrepared<NodeMarks>(db, MARKS, [nodeId]);
  return { wishes: row?.wishes ?? "", hasUnplaced: row?.hasUnplaced ?? false };
}

const MARKS = prepared(
  ["int"],
  sql`select concat((select drain from ${nodes} where id = $1), E'\\n',
      string_agg(v.id || ${WISH_MARKS}, E'\\n' order by v.id)) as wishes,
    exists (select from ${vms} where needs_node) as "hasUnplaced"
  from ${vms} v ${LIVE_SESSION}
  where v.node_id = $1`,
);

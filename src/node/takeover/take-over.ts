/**
 * Takes over from a node that is proved lost, in one transaction: its epoch moves on, its desktops are free for
 * placement under new epochs, its brokers' sittings are over. Of several boxes that see the loss one does it.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import type { Neighbour } from "../../db/queries/neighbours.ts";
import type { VmId } from "../../domain/ids.ts";
import { endLostSessions } from "../../service/session/end-lost.ts";
import { takeOverDesktops } from "../../service/vm/take-over.ts";
import type { NodeIdentity } from "../deps.ts";
import { loseRow } from "../lease/row.ts";
import { reportTakenOver } from "../report/report-taken-over.ts";

const TAKEOVER_LOCK = 5_167_002;

export type Loss = { readonly lost: Neighbour; readonly epoch: number; readonly reason: string };

/** Undefined when the node came back in time, or another box is at it. */
export async function takeOver(
  deps: { readonly db: Db; readonly node: NodeIdentity },
  { lost, epoch, reason }: Loss,
): Promise<readonly VmId[] | undefined> {
  const { db, node } = deps;
  return await db.transaction(async (tx) => {
    const [lock] = await tx.execute<{ taken: boolean }>(
      sql`select pg_try_advisory_xact_lock(${TAKEOVER_LOCK}) as taken`,
    );
    if (lock?.taken !== true || !(await loseRow(tx, lost.nodeId, epoch))) return undefined;
    const context = { db: tx, actor: { kind: "node", name: node.name } } as const;
    const { nodeId, name } = lost;
    const vmIds = await takeOverDesktops(context, { nodeId, nodeName: name, reason });
    await reportTakenOver(tx, { vmIds, lost: { nodeId, name }, reason, by: node.nodeId });
    await endLostSessions(context, nodeId);
    return vmIds;
  });
}

import { and, eq, isNull, sql } from "drizzle-orm";
import { sessions } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

/** Ends the sittings that brokers of a lost node carried; they can't say so themselves. Returns how many. */
export async function endLostSessions(context: Context, nodeId: NodeId): Promise<number> {
  authorize(context, "node.take-over", { what: `node ${nodeId}` });
  const ended = await context.db
    .update(sessions)
    .set({ endedAt: sql`qvd_now()`, endCause: "node-lost" })
    .where(and(eq(sessions.brokerNodeId, nodeId), isNull(sessions.endedAt)))
    .returning({ id: sessions.id });
  return ended.length;
}

import { and, count, eq, isNotNull, isNull } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions } from "../schema/index.ts";

/** How many sittings each broker worker of a node carries, by the worker's name. */
export async function countBrokerConnections(db: Db, nodeId: NodeId): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ worker: sessions.brokerWorker, connections: count() })
    .from(sessions)
    .where(and(eq(sessions.brokerNodeId, nodeId), isNull(sessions.endedAt), isNotNull(sessions.connectedAt)))
    .groupBy(sessions.brokerWorker);
  return new Map(rows.map((row) => [row.worker, row.connections]));
}

import { and, count, eq, isNotNull, isNull } from "drizzle-orm";
import type { NodeId } from "../../domain/ids.ts";
import { parseBrokerWorker } from "../../domain/session/broker-worker.ts";
import type { Db } from "../client.ts";
import { sessions } from "../schema/index.ts";

/** How many sittings each broker process of a node carries, by its pid. */
export async function countBrokerConnections(db: Db, nodeId: NodeId): Promise<ReadonlyMap<number, number>> {
  const rows = await db
    .select({ worker: sessions.brokerWorker, connections: count() })
    .from(sessions)
    .where(and(eq(sessions.brokerNodeId, nodeId), isNull(sessions.endedAt), isNotNull(sessions.connectedAt)))
    .groupBy(sessions.brokerWorker);
  return new Map(rows.map((row) => [parseBrokerWorker(row.worker)?.pid ?? 0, row.connections]));
}

import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { NodeId, SessionId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions, vms } from "../schema/index.ts";

export type EndingSession = {
  readonly sessionId: SessionId;
  readonly vmId: VmId;
  /** Until its announced end; negative when that has passed. */
  readonly leftMs: number;
};

/** Live sessions of a node's desktops that a broker, of whichever box, has announced the end of. */
export function listEndingSessions(db: Db, nodeId: NodeId): Promise<EndingSession[]> {
  return db
    .select({
      sessionId: sessions.id,
      vmId: sessions.vmId,
      leftMs: sql<number>`(extract(epoch from ${sessions.endsAt} - qvd_now()) * 1000)::float8`,
    })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .where(
      and(
        eq(vms.nodeId, nodeId),
        isNotNull(sessions.endsAt),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
      ),
    );
}

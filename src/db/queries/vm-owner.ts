import { and, desc, eq, isNull } from "drizzle-orm";
import type { NodeId, UserId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions, vms } from "../schema/index.ts";

export type VmOwner = {
  readonly userId: UserId;
  /** Of the client that sits at it; undefined while nobody does. */
  readonly address: string | undefined;
};

/** Whose desktop it is, as long as it is the node's. */
export async function readVmOwner(db: Db, vmId: VmId, nodeId: NodeId): Promise<VmOwner | undefined> {
  const [row] = await db
    .select({ userId: vms.userId, address: sessions.clientAddress })
    .from(vms)
    .leftJoin(
      sessions,
      and(eq(sessions.vmId, vms.id), isNull(sessions.endedAt), isNull(sessions.supersededAt)),
    )
    .where(and(eq(vms.id, vmId), eq(vms.nodeId, nodeId), isNull(vms.deletedAt)))
    .orderBy(desc(sessions.id))
    .limit(1);
  return row === undefined ? undefined : { userId: row.userId, address: row.address ?? undefined };
}

import { and, eq, isNull } from "drizzle-orm";
import type { NodeId, UserId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { vms } from "../schema/index.ts";

/** Whose desktop it is, as long as it is the node's. */
export async function readVmOwner(db: Db, vmId: VmId, nodeId: NodeId): Promise<UserId | undefined> {
  const [row] = await db
    .select({ userId: vms.userId })
    .from(vms)
    .where(and(eq(vms.id, vmId), eq(vms.nodeId, nodeId), isNull(vms.deletedAt)));
  return row?.userId;
}

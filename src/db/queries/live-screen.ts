import { and, eq, isNotNull, isNull } from "drizzle-orm";
import type { SessionId, UserId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { nodes, sessions, vms } from "../schema/index.ts";

export type LiveScreen = {
  readonly id: SessionId;
  readonly vmId: VmId;
  readonly address: string;
  readonly port: number;
  readonly slaveKey: string;
  /** The node that has the desktop. */
  readonly node: { readonly name: string; readonly address: string | null } | null;
};

/** The session in which that user sits at that desktop by browser now, whichever worker carries it. */
export async function readLiveScreen(
  db: Db,
  { userId, vmId }: { readonly userId: UserId; readonly vmId: VmId },
): Promise<LiveScreen | undefined> {
  const [row] = await db
    .select({
      id: sessions.id,
      vmId: sessions.vmId,
      address: sessions.address,
      port: sessions.port,
      slaveKey: sessions.slaveKey,
      node: { name: nodes.name, address: nodes.address },
    })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .leftJoin(nodes, eq(nodes.id, vms.nodeId))
    .where(
      and(
        eq(sessions.vmId, vmId),
        eq(vms.userId, userId),
        eq(sessions.userId, userId),
        eq(sessions.access, "browser"),
        eq(sessions.state, "listening"),
        isNotNull(sessions.connectedAt),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
      ),
    );
  if (row === undefined || row.address === null || row.port === null) return undefined;
  return { ...row, address: row.address, port: row.port };
}

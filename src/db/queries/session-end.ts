import { and, desc, eq, inArray, ne } from "drizzle-orm";
import type { SessionId, UserId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions, vmReports, vms } from "../schema/index.ts";

/**
 * How the session of that key ended, or is about to; without a cause while it goes on. One after which the desktop was asked for
 * again counts as superseded, also where it had ended before. Undefined when the user has none of it.
 */
export async function readSessionEnd(
  db: Db,
  { vmId, userId, slaveKey }: { readonly vmId: VmId; readonly userId: UserId; readonly slaveKey: string },
): Promise<{ readonly cause: string | undefined } | undefined> {
  const { id, endCause, supersededAt, endWishedAt } = sessions;
  const [row] = await db
    .select({ id, endCause, supersededAt, endWishedAt })
    .from(sessions)
    .where(and(eq(sessions.vmId, vmId), eq(sessions.userId, userId), eq(sessions.slaveKey, slaveKey)))
    .orderBy(desc(id))
    .limit(1);
  if (row === undefined) return undefined;
  const [last] = await db
    .select({ id })
    .from(sessions)
    .where(eq(sessions.vmId, vmId))
    .orderBy(desc(id))
    .limit(1);
  if (row.supersededAt !== null || last?.id !== row.id) return { cause: "superseded" };
  if (row.endCause === "desktop-closed" && (await isBrokenOff(db, row.id))) return { cause: "broker-lost" };
  if (row.endCause !== null) return { cause: row.endCause };
  return { cause: row.endWishedAt === null ? undefined : "ended-by-administrator" };
}

/**
 * A session that another box's broker led to its desktop, and whose X session waits there: that broker is gone, and the kernel ended
 * its connections in order.
 */
async function isBrokenOff(db: Db, sessionId: SessionId): Promise<boolean> {
  const rows = await db
    .select({ id: sessions.id })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .innerJoin(vmReports, eq(vmReports.vmId, sessions.vmId))
    .where(
      and(
        eq(sessions.id, sessionId),
        eq(sessions.access, "nx"),
        ne(vms.nodeId, sessions.brokerNodeId),
        eq(vmReports.state, "running"),
        inArray(vmReports.xState, ["suspending", "suspended"]),
      ),
    );
  return rows.length > 0;
}

import { and, desc, eq } from "drizzle-orm";
import type { UserId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { sessions } from "../schema/index.ts";

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
  if (row.endCause !== null) return { cause: row.endCause };
  return { cause: row.endWishedAt === null ? undefined : "ended-by-administrator" };
}

import { and, eq, isNotNull, isNull } from "drizzle-orm";
import { sessions } from "../../db/schema/index.ts";
import type { SessionId, VmId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";

/** The session that somebody has open in a browser at that desktop: the only kind that a second screen can show. */
export async function findWatched({ db }: Context, vmId: VmId): Promise<SessionId | undefined> {
  const [row] = await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        eq(sessions.vmId, vmId),
        eq(sessions.access, "browser"),
        isNotNull(sessions.connectedAt),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
      ),
    );
  return row?.id;
}

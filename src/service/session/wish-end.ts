import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { sessions } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { SessionId, VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { findVmFor } from "../vm/find.ts";

export const wishSessionEndInput = z.object({ vmId: idField<VmId>() });

/**
 * Wishes that whoever sits at the desktop be disconnected; the desktop itself goes on, its session suspended.
 * Undefined when nobody sits there.
 */
export async function wishSessionEnd(
  context: Context,
  input: z.input<typeof wishSessionEndInput>,
): Promise<{ sessionId: SessionId } | undefined> {
  const { vmId } = parseInput(wishSessionEndInput, input);
  return await change(context, { doing: `disconnect desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "session.wish-end", vmId);
    const [ended] = await inside.db
      .update(sessions)
      .set({ endWishedAt: sql`qvd_now()`, endWishedBy: formatActor(inside.actor) })
      .where(
        and(
          eq(sessions.vmId, vmId),
          isNull(sessions.endedAt),
          isNull(sessions.supersededAt),
          isNull(sessions.endWishedAt),
        ),
      )
      .returning({ id: sessions.id });
    if (ended === undefined) return undefined;
    await auditVm(inside, "session.wish-end", { vm, detail: { sessionId: ended.id } });
    return { sessionId: ended.id };
  });
}

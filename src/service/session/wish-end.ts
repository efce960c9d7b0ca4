import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { sessions } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { SessionId, VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { type FoundVm, findVmFor } from "../vm/find.ts";

export const wishSessionEndInput = z.object({ vmId: idField<VmId>() });
export const wishSessionEndByIdInput = z.object({ sessionId: idField<SessionId>() });

/**
 * Wishes that whoever sits at the desktop be disconnected; the desktop itself goes on, its session suspended.
 * Undefined when nobody sits there.
 */
export async function wishSessionEnd(
  context: Context,
  input: z.input<typeof wishSessionEndInput>,
): Promise<{ sessionId: SessionId } | undefined> {
  const { vmId } = parseInput(wishSessionEndInput, input);
  return await change(context, { doing: `disconnect desktop ${vmId}` }, async (inside) =>
    wishEnd(inside, await findVmFor(inside, "session.wish-end", vmId)),
  );
}

/** The same of one sitting alone: a newer client that took the desktop over meanwhile is let sit. */
export async function wishSessionEndById(
  context: Context,
  input: z.input<typeof wishSessionEndByIdInput>,
): Promise<{ vmId: VmId }> {
  const { sessionId } = parseInput(wishSessionEndByIdInput, input);
  return await change(context, { doing: `end session ${sessionId}` }, async (inside) => {
    const [row] = await inside.db
      .select({ vmId: sessions.vmId })
      .from(sessions)
      .where(eq(sessions.id, sessionId));
    if (row === undefined) throw new AppError("not-found", `session ${sessionId} does not exist`);
    const vm = await findVmFor(inside, "session.wish-end", row.vmId).catch((error: unknown) => {
      // Whoever may not know of the desktop learns nothing of its sessions.
      if (error instanceof AppError && error.code === "not-found")
        throw new AppError("not-found", `session ${sessionId} does not exist`);
      throw error;
    });
    const ended = await wishEnd(inside, vm, eq(sessions.id, sessionId));
    if (ended === undefined) throw new AppError("conflict", `session ${sessionId} is over already`);
    return { vmId: row.vmId };
  });
}

async function wishEnd(
  inside: Context,
  vm: FoundVm,
  which?: SQL,
): Promise<{ sessionId: SessionId } | undefined> {
  const [ended] = await inside.db
    .update(sessions)
    .set({ endWishedAt: sql`qvd_now()`, endWishedBy: formatActor(inside.actor) })
    .where(
      and(
        which,
        eq(sessions.vmId, vm.id),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
        isNull(sessions.endWishedAt),
      ),
    )
    .returning({ id: sessions.id });
  if (ended === undefined) return undefined;
  await auditVm(inside, "session.wish-end", { vm, detail: { sessionId: ended.id } });
  return { sessionId: ended.id };
}

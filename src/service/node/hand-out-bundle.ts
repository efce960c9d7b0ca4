import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { joinCodes } from "../../db/schema/index.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput } from "../input.ts";

export const handOutBundleInput = z.object({ id: z.string().max(64) });

/**
 * Gives the sealed bundle of a join code, once and before it expires; `not-found` whatever else is the case. It is
 * not kept: a code that is found later, in a shell's history or a mail, opens nothing any more.
 */
export async function handOutBundle(
  context: Context,
  input: z.input<typeof handOutBundleInput>,
): Promise<{ sealed: Uint8Array }> {
  const { id } = parseInput(handOutBundleInput, input);
  authorize(context, "node.hand-out-bundle", { what: "this join code" });
  return await change(context, { doing: "hand out a join code's bundle" }, async (inside) => {
    const isOpen = and(isNull(joinCodes.usedAt), gt(joinCodes.expiresAt, sql`qvd_now()`));
    const [row] = await inside.db
      .select({ sealed: joinCodes.sealed })
      .from(joinCodes)
      .where(and(eq(joinCodes.id, id), isOpen))
      .for("update");
    if (row === undefined)
      throw new AppError(
        "not-found",
        "this join code was used, has expired, or never was; `qvd node invite` makes a new one",
      );
    await inside.db
      .update(joinCodes)
      .set({ usedAt: sql`qvd_now()`, usedBy: inside.origin ?? "somebody", sealed: Buffer.alloc(0) })
      .where(eq(joinCodes.id, id));
    await recordAudit(inside, { action: "node.hand-out-bundle", subjectKind: "join-code" });
    return row;
  });
}

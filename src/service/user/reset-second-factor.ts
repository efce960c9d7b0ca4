import { eq } from "drizzle-orm";
import { z } from "zod";
import { secondFactors } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findUserFor } from "./find.ts";

export const resetUserSecondFactorInput = z.object({ userId: idField<UserId>() });

/** For somebody whose phone and recovery codes are gone: the password alone counts again. May be called twice. */
export async function resetUserSecondFactor(
  context: Context,
  input: z.input<typeof resetUserSecondFactorInput>,
): Promise<void> {
  const { userId } = parseInput(resetUserSecondFactorInput, input);
  await change(context, { doing: `reset the second factor of user ${userId}` }, async (inside) => {
    const user = await findUserFor(inside, "user.reset-second-factor", userId);
    await inside.db.delete(secondFactors).where(eq(secondFactors.userId, userId));
    await recordAudit(inside, {
      action: "user.reset-second-factor",
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
    });
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { administratorSessions, administrators, secondFactors } from "../../db/schema/index.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";

export const resetAdministratorSecondFactorInput = z.object({ administratorId: idField<AdministratorId>() });

/** Also ends the administrator's sign-ins, which were made with what is thrown away. May be called twice. */
export async function resetAdministratorSecondFactor(
  context: Context,
  input: z.input<typeof resetAdministratorSecondFactorInput>,
): Promise<void> {
  const { administratorId } = parseInput(resetAdministratorSecondFactorInput, input);
  const what = `administrator ${administratorId}`;
  await change(context, { doing: `reset the second factor of ${what}` }, async (inside) => {
    const [found] = await inside.db
      .select()
      .from(administrators)
      .where(eq(administrators.id, administratorId))
      .for("update");
    const action = "administrator.reset-second-factor";
    authorize(inside, action, { what, ...(found === undefined ? {} : { tenantId: found.tenantId }) });
    if (found === undefined) throw new AppError("not-found", `${what} does not exist`);
    await inside.db.delete(secondFactors).where(eq(secondFactors.administratorId, administratorId));
    await inside.db
      .delete(administratorSessions)
      .where(eq(administratorSessions.administratorId, administratorId));
    await recordAudit(inside, {
      action,
      tenantId: found.tenantId,
      subjectKind: "administrator",
      subjectId: administratorId,
      subjectName: found.login,
    });
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { administratorSessions, secondFactors } from "../../db/schema/index.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditAdministrator } from "./audit-administrator.ts";
import { findAdministratorFor } from "./find.ts";

export const resetAdministratorSecondFactorInput = z.object({ administratorId: idField<AdministratorId>() });

/** Also ends the administrator's sign-ins, which were made with what is thrown away. May be called twice. */
export async function resetAdministratorSecondFactor(
  context: Context,
  input: z.input<typeof resetAdministratorSecondFactorInput>,
): Promise<void> {
  const { administratorId } = parseInput(resetAdministratorSecondFactorInput, input);
  await change(
    context,
    { doing: `reset the second factor of administrator ${administratorId}` },
    async (inside) => {
      const action = "administrator.reset-second-factor";
      const found = await findAdministratorFor(inside, action, administratorId);
      await inside.db.delete(secondFactors).where(eq(secondFactors.administratorId, administratorId));
      await inside.db
        .delete(administratorSessions)
        .where(eq(administratorSessions.administratorId, administratorId));
      await auditAdministrator(inside, action, found);
    },
  );
}

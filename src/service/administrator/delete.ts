import { eq } from "drizzle-orm";
import { z } from "zod";
import { administrators } from "../../db/schema/index.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditAdministrator } from "./audit-administrator.ts";
import { findOtherAdministratorFor } from "./find.ts";

export const deleteAdministratorInput = z.object({ administratorId: idField<AdministratorId>() });

/** With how they prove themselves, their roles and sign-ins; what they did stays in the audit log under their name. */
export async function deleteAdministrator(
  context: Context,
  input: z.input<typeof deleteAdministratorInput>,
): Promise<void> {
  const { administratorId } = parseInput(deleteAdministratorInput, input);
  await change(context, { doing: `delete administrator ${administratorId}` }, async (inside) => {
    const found = await findOtherAdministratorFor(inside, "administrator.delete", administratorId);
    await inside.db.delete(administrators).where(eq(administrators.id, administratorId));
    await auditAdministrator(inside, "administrator.delete", found);
  });
}

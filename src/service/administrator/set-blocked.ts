import { eq } from "drizzle-orm";
import { administratorSessions, administrators } from "../../db/schema/index.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { auditAdministrator } from "./audit-administrator.ts";
import { findAdministratorFor, findOtherAdministratorFor } from "./find.ts";

/** What blocking and unblocking share; the action of the two decides the right. */
export async function setAdministratorBlocked(
  context: Context,
  administratorId: AdministratorId,
  isBlocked: boolean,
): Promise<void> {
  const verb = isBlocked ? "block" : "unblock";
  await change(context, { doing: `${verb} administrator ${administratorId}` }, async (inside) => {
    const find = isBlocked ? findOtherAdministratorFor : findAdministratorFor;
    const found = await find(inside, `administrator.${verb}`, administratorId);
    await inside.db.update(administrators).set({ isBlocked }).where(eq(administrators.id, administratorId));
    if (isBlocked)
      await inside.db
        .delete(administratorSessions)
        .where(eq(administratorSessions.administratorId, administratorId));
    await auditAdministrator(inside, `administrator.${verb}`, found);
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { users, vms } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findUserFor } from "./find.ts";

export const deleteUserInput = z.object({ userId: idField<UserId>() });

/** Refused while the user owns desktops, those still being deleted included. */
export async function deleteUser(context: Context, input: z.input<typeof deleteUserInput>): Promise<void> {
  const { userId } = parseInput(deleteUserInput, input);
  const busy = `user ${userId} owns desktops or has sessions on record; delete their desktops first`;
  const conflicts = {
    vms_user_id_fkey: { message: busy },
    sessions_user_id_fkey: { message: busy },
  };
  await change(context, { doing: `delete user ${userId}`, conflicts }, async (inside) => {
    const user = await findUserFor(inside, "user.delete", userId);
    const owned = await inside.db.$count(vms, eq(vms.userId, userId));
    if (owned > 0) {
      const their = owned === 1 ? "a desktop" : `${owned} desktops`;
      throw new AppError("conflict", `user ${user.login} still owns ${their}; delete those first`);
    }
    await inside.db.delete(users).where(eq(users.id, userId));
    await recordAudit(inside, {
      action: "user.delete",
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
    });
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { users } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField } from "../input.ts";
import { findUserFor } from "./find.ts";

/** The login stays for life: the account inside the user's desktops carries it. */
export const changeUserInput = z.object({ userId: idField<UserId>(), fullName: textField(0, 200) });

export async function changeUser(context: Context, input: z.input<typeof changeUserInput>): Promise<void> {
  const { userId, fullName } = parseInput(changeUserInput, input);
  await change(context, { doing: `change user ${userId}` }, async (inside) => {
    const user = await findUserFor(inside, "user.change", userId);
    await inside.db.update(users).set({ fullName }).where(eq(users.id, userId));
    await recordAudit(inside, {
      action: "user.change",
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
      detail: { fullName },
    });
  });
}

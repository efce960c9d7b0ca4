import { z } from "zod";
import { userCredentials } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, passwordField } from "../input.ts";
import { newHash, type PasswordDeps } from "../password.ts";
import { findUserFor } from "./find.ts";

export const setUserPasswordInput = z.object({ userId: idField<UserId>(), password: passwordField });

/** Running sessions go on; the new password counts at the next sign-in. */
export async function setUserPassword(
  context: Context,
  deps: PasswordDeps,
  input: z.input<typeof setUserPasswordInput>,
): Promise<void> {
  const { userId, password } = parseInput(setUserPasswordInput, input);
  const doing = `set the password of user ${userId}`;
  // Looked up first, so that a stranger can't make us hash; and again below, where it counts.
  await change(context, { doing }, (inside) => findUserFor(inside, "user.set-password", userId));
  const passwordHash = await deps.hashPassword(password);
  await change(context, { doing }, async (inside) => {
    const user = await findUserFor(inside, "user.set-password", userId);
    await inside.db
      .insert(userCredentials)
      .values({ userId, passwordHash })
      .onConflictDoUpdate({ target: userCredentials.userId, set: newHash(passwordHash) });
    await recordAudit(inside, {
      action: "user.set-password",
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
    });
  });
}

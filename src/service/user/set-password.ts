import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { userCredentials, userTokens, userWebSessions } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, passwordField } from "../input.ts";
import { newHash, type PasswordDeps } from "../password.ts";
import { findUserFor } from "./find.ts";

export const setUserPasswordInput = z.object({ userId: idField<UserId>(), password: passwordField });

/**
 * Running sessions go on. What the old password has opened is closed, since somebody else may have known it: the user's
 * sign-ins by browser are over, and their tokens open nothing any more.
 */
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
    await inside.db.delete(userWebSessions).where(eq(userWebSessions.userId, userId));
    await inside.db
      .update(userTokens)
      .set({ revokedAt: sql`qvd_now()` })
      .where(and(eq(userTokens.userId, userId), isNull(userTokens.revokedAt)));
    await recordAudit(inside, {
      action: "user.set-password",
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
    });
  });
}

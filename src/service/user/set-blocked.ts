import { eq } from "drizzle-orm";
import { users } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { findUserFor } from "./find.ts";

/** What blocking and unblocking share; the action of the two decides the right. */
export async function setUserBlocked(context: Context, userId: UserId, isBlocked: boolean): Promise<void> {
  const action = isBlocked ? "user.block" : "user.unblock";
  await change(context, { doing: `${isBlocked ? "block" : "unblock"} user ${userId}` }, async (inside) => {
    const user = await findUserFor(inside, action, userId);
    await inside.db.update(users).set({ isBlocked }).where(eq(users.id, userId));
    await recordAudit(inside, {
      action,
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
    });
  });
}

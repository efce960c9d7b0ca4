import { eq } from "drizzle-orm";
import { users } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { UserId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

export type FoundUser = typeof users.$inferSelect;

/** The user, locked against other changes until the transaction ends, after the actor's right was checked. */
export async function findUserFor(inside: Context, action: Action, userId: UserId): Promise<FoundUser> {
  const [user] = await inside.db.select().from(users).where(eq(users.id, userId)).for("update");
  const what = `user ${userId}`;
  authorize(inside, action, { what, ...(user === undefined ? {} : { tenantId: user.tenantId }) });
  if (user === undefined) throw new AppError("not-found", `${what} does not exist`);
  return user;
}

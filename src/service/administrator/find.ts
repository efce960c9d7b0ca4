import { asc, eq, inArray } from "drizzle-orm";
import { administrators } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

export type FoundAdministrator = typeof administrators.$inferSelect;

/** The administrator, the row locked until the transaction ends, after the actor's right was checked. */
export async function findAdministratorFor(
  inside: Context,
  action: Action,
  administratorId: AdministratorId,
): Promise<FoundAdministrator> {
  const [found] = await inside.db
    .select()
    .from(administrators)
    .where(eq(administrators.id, administratorId))
    .for("update");
  const what = `administrator ${administratorId}`;
  authorize(inside, action, { what, ...(found === undefined ? {} : { tenantId: found.tenantId }) });
  if (found === undefined) throw new AppError("not-found", `${what} does not exist`);
  return found;
}

/**
 * The same for what takes an administrator out. Throws `conflict` for oneself: whoever locks themselves out can't mend it,
 * and somebody with the right is left. Of two who do it to each other at once the second is out already.
 */
export async function findOtherAdministratorFor(
  inside: Context,
  action: Action,
  administratorId: AdministratorId,
): Promise<FoundAdministrator> {
  const { actor, db } = inside;
  const own = actor.kind === "administrator" ? actor.administratorId : undefined;
  const isActorLeft = own === undefined || (await lockActor(db, own, administratorId));
  const found = await findAdministratorFor(inside, action, administratorId);
  if (own === found.id)
    throw new AppError(
      "conflict",
      `you can't ${action.split(".").at(-1)} yourself; another administrator can`,
    );
  if (!isActorLeft) throw new AppError("not-signed-in", "You were blocked or deleted meanwhile");
  return found;
}

/** Both rows in one order, or two who do it to each other would wait for each other. */
async function lockActor(db: Context["db"], own: AdministratorId, other: AdministratorId): Promise<boolean> {
  const ids = inArray(administrators.id, [own, other]);
  const rows = await db
    .select()
    .from(administrators)
    .where(ids)
    .orderBy(asc(administrators.id))
    .for("update");
  return rows.some(({ id, isBlocked }) => id === own && !isBlocked);
}

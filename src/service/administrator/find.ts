import { eq } from "drizzle-orm";
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

/** Throws `conflict` for oneself: whoever locks themselves out can't mend it, and somebody with the right is left. */
export function requireSomebodyElse({ actor }: Context, { id }: FoundAdministrator, verb: string): void {
  if (actor.kind === "administrator" && actor.administratorId === id)
    throw new AppError("conflict", `you can't ${verb} yourself; another administrator can`);
}

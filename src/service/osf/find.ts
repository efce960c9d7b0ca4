import { eq } from "drizzle-orm";
import { osfs } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { OsfId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

export type FoundOsf = typeof osfs.$inferSelect;

/** The OSF, locked until the transaction ends: the tags of its images are moved one at a time. */
export async function findOsfFor(inside: Context, action: Action, osfId: OsfId): Promise<FoundOsf> {
  const [osf] = await inside.db.select().from(osfs).where(eq(osfs.id, osfId)).for("update");
  const what = `OSF ${osfId}`;
  authorize(inside, action, { what, ...(osf === undefined ? {} : { tenantId: osf.tenantId }) });
  if (osf === undefined) throw new AppError("not-found", `${what} does not exist`);
  return osf;
}

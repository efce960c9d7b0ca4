import { eq } from "drizzle-orm";
import { dis, osfs } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { DiId, TenantId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

export type FoundImage = typeof dis.$inferSelect & {
  readonly tenantId: TenantId;
  readonly osfName: string;
};

/** The image, its row locked until the transaction ends, after the actor's right was checked. */
export async function findImageFor(inside: Context, action: Action, diId: DiId): Promise<FoundImage> {
  const [row] = await inside.db
    .select({ di: dis, tenantId: osfs.tenantId, osfName: osfs.name })
    .from(dis)
    .innerJoin(osfs, eq(osfs.id, dis.osfId))
    .where(eq(dis.id, diId))
    .for("update", { of: dis });
  const what = `image ${diId}`;
  authorize(inside, action, { what, ...(row === undefined ? {} : { tenantId: row.tenantId }) });
  if (row === undefined) throw new AppError("not-found", `${what} does not exist`);
  return { ...row.di, tenantId: row.tenantId, osfName: row.osfName };
}

import { eq } from "drizzle-orm";
import { dis } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { auditImage } from "./audit-image.ts";
import { findImageFor } from "./find.ts";

/** What blocking and unblocking share; the action of the two decides the right. */
export async function setImageBlocked(context: Context, diId: DiId, isBlocked: boolean): Promise<void> {
  const action = isBlocked ? "image.block" : "image.unblock";
  await change(context, { doing: `${isBlocked ? "block" : "unblock"} image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, action, diId);
    await inside.db.update(dis).set({ isBlocked }).where(eq(dis.id, diId));
    await auditImage(inside, action, { image });
  });
}

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { dis } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { findImageFor } from "./find.ts";
import { handOnTags } from "./hand-on-tags.ts";

export const retireImageInput = z.object({ diId: idField<DiId>() });

/** Takes an image out of use and keeps it: no tag leads to it any more. Desktops that run on it go on. */
export async function retireImage(context: Context, input: z.input<typeof retireImageInput>): Promise<void> {
  const { diId } = parseInput(retireImageInput, input);
  await change(context, { doing: `retire image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.retire", diId);
    const osf = await findOsfFor(inside, "image.retire", image.osfId);
    if (image.publishedAt === null)
      throw new AppError(
        "conflict",
        `image ${image.osfName} ${image.version} was never published; delete it instead`,
      );
    await handOnTags(inside, { image, osf, doing: "retired" });
    await inside.db.update(dis).set({ retiredAt: sql`qvd_now()` }).where(eq(dis.id, diId));
    await auditImage(inside, "image.retire", { image });
  });
}

import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { diTags } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { findImageFor } from "./find.ts";

export const moveTagInput = z.object({ diId: idField<DiId>(), tag: tagField });

/**
 * Puts the tag on this image and takes it from the one of the same OSF that had it: roll-out and roll-back.
 * Only onto an image that a node has verified, since desktops of the tag start from it next.
 */
export async function moveTag(
  context: Context,
  input: z.input<typeof moveTagInput>,
): Promise<{ movedFrom: DiId | undefined }> {
  const { diId, tag } = parseInput(moveTagInput, input);
  return await change(context, { doing: `move tag ${tag} to image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.move-tag", diId);
    await findOsfFor(inside, "image.move-tag", image.osfId);
    if (image.state !== "ready") {
      const why =
        image.state === "failed" ? "it is broken" : "it is not verified yet; wait until it is ready";
      throw new AppError("conflict", `tag ${tag} can't go on image ${image.version}: ${why}`, {
        field: "tag",
      });
    }
    const [held] = await inside.db
      .select()
      .from(diTags)
      .where(and(eq(diTags.osfId, image.osfId), eq(diTags.tag, tag)));
    if (held?.isFixed) {
      throw new AppError("conflict", `tag ${tag} is the version of an image and can't be moved`, {
        field: "tag",
      });
    }
    await inside.db
      .insert(diTags)
      .values({ osfId: image.osfId, tag, diId })
      .onConflictDoUpdate({ target: [diTags.osfId, diTags.tag], set: { diId, movedAt: sql`qvd_now()` } });
    await auditImage(inside, "image.move-tag", { image, detail: { tag, from: held?.diId ?? null } });
    return { movedFrom: held?.diId };
  });
}

import { z } from "zod";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { type FoundImage, findImageFor } from "./find.ts";
import { putTags } from "./put-tags.ts";

export const moveTagInput = z.object({ diId: idField<DiId>(), tag: tagField });

/**
 * Puts the tag on this image and takes it from the one of the same OSF that had it: roll-out and roll-back.
 * Only onto an image that a node has verified, since desktops of the tag start from it next; those that run get
 * the OSF's times to restart.
 */
export async function moveTag(
  context: Context,
  input: z.input<typeof moveTagInput>,
): Promise<{ movedFrom: DiId | undefined }> {
  const { diId, tag } = parseInput(moveTagInput, input);
  return await change(context, { doing: `move tag ${tag} to image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.move-tag", diId);
    const osf = await findOsfFor(inside, "image.move-tag", image.osfId);
    const why = unfitness(image);
    if (why !== undefined) {
      throw new AppError("conflict", `tag ${tag} can't go on image ${image.version}: ${why}`, {
        field: "tag",
      });
    }
    const movedFrom = (await putTags(inside, { osf, diId, tags: [tag] })).get(tag);
    await auditImage(inside, "image.move-tag", { image, detail: { tag, from: movedFrom ?? null } });
    return { movedFrom };
  });
}

function unfitness(image: FoundImage): string | undefined {
  if (image.state === "failed") return "it is broken";
  if (image.state !== "ready") return "it is not verified yet; wait until it is ready";
  return image.retiredAt === null ? undefined : "it is retired; publish it again first";
}

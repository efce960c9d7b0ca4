import { and, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { diTags, vms } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { findImageFor } from "./find.ts";

export const removeTagInput = z.object({ diId: idField<DiId>(), tag: tagField });

/** Refused for a version's own tag, for `head` and `default`, and while desktops start from this one. */
const WHY_KEPT = {
  head: "it is on the image that was published last",
  default: "desktops without a tag of their own follow it",
} as const;

export async function removeTag(context: Context, input: z.input<typeof removeTagInput>): Promise<void> {
  const { diId, tag } = parseInput(removeTagInput, input);
  await change(context, { doing: `remove tag ${tag} from image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.remove-tag", diId);
    await findOsfFor(inside, "image.remove-tag", image.osfId);
    const here = and(eq(diTags.osfId, image.osfId), eq(diTags.tag, tag), eq(diTags.diId, diId));
    const [held] = await inside.db.select().from(diTags).where(here);
    if (held === undefined) throw new AppError("not-found", `image ${image.version} has no tag ${tag}`);
    if (held.isFixed) {
      throw new AppError("conflict", `tag ${tag} is the image's version and can't be removed`, {
        field: "tag",
      });
    }
    const users = await inside.db.$count(
      vms,
      and(eq(vms.osfId, image.osfId), eq(vms.diTag, tag), isNull(vms.deletedAt)),
    );
    if (users > 0) {
      throw new AppError(
        "conflict",
        `tag ${tag} is used by ${users} desktop${users === 1 ? "" : "s"}; move it to another image instead`,
        { field: "tag" },
      );
    }
    if (tag === "head" || tag === "default") {
      throw new AppError("conflict", `tag ${tag} can only be moved: ${WHY_KEPT[tag]}`, {
        field: "tag",
      });
    }
    await inside.db.delete(diTags).where(here);
    await auditImage(inside, "image.remove-tag", { image, detail: { tag } });
  });
}

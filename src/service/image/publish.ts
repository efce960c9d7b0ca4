/**
 * Makes a verified image the newest of its OSF: it gets `head`, `default` where nobody has it or where that is
 * asked for, and further tags by name. Desktops of those tags start from it next; those that run are given the
 * OSF's times to restart. Moving a tag back rolls back. An image that was retired comes back by it.
 */

import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { dis, diTags } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { type FoundImage, findImageFor } from "./find.ts";
import { putTags } from "./put-tags.ts";

export const publishImageInput = z.object({
  diId: idField<DiId>(),
  /** Besides `head`; `default` among them takes it from the image that has it. */
  tags: z.array(tagField).max(20).default([]),
});

export async function publishImage(
  context: Context,
  input: z.input<typeof publishImageInput>,
): Promise<{ readonly tags: readonly string[] }> {
  const { diId, tags: asked } = parseInput(publishImageInput, input);
  return await change(context, { doing: `publish image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.publish", diId);
    const osf = await findOsfFor(inside, "image.publish", image.osfId);
    requirePublishable(image);
    const isDefaultHeld = await inside.db.$count(
      diTags,
      and(eq(diTags.osfId, image.osfId), eq(diTags.tag, "default")),
    );
    const tags = [...new Set(["head", ...(isDefaultHeld > 0 ? [] : ["default"]), ...asked])];
    const from = await putTags(inside, { osf, diId, tags });
    await inside.db.update(dis).set({ publishedAt: sql`qvd_now()`, retiredAt: null }).where(eq(dis.id, diId));
    await auditImage(inside, "image.publish", { image, detail: { tags, from: Object.fromEntries(from) } });
    return { tags };
  });
}

/** `conflict` unless desktops may start from it. */
function requirePublishable(image: FoundImage): void {
  const refuse = (why: string) =>
    new AppError("conflict", `image ${image.osfName} ${image.version} can't be published: ${why}`);
  if (image.state === "failed") throw refuse("it is broken");
  if (image.state !== "ready") throw refuse("it is not verified yet; wait until it is ready");
  if (image.isBlocked) throw refuse("it is blocked; unblock it first");
}

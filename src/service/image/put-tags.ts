import { and, eq, inArray, sql } from "drizzle-orm";
import { diTags } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import type { FoundOsf } from "../osf/find.ts";
import { expireOutdated } from "./expire-outdated.ts";

/**
 * Puts tags on an image of the OSF, taking them from where they are. The caller holds the OSF's row, so that
 * each tag is on one image. Returns who had them. `conflict` for the version of an image.
 */
export async function putTags(
  inside: Context,
  wanted: { readonly osf: FoundOsf; readonly diId: DiId; readonly tags: readonly string[] },
): Promise<ReadonlyMap<string, DiId>> {
  const { osf, diId } = wanted;
  const tags = [...new Set(wanted.tags)];
  if (tags.length === 0) return new Map();
  const held = await inside.db
    .select()
    .from(diTags)
    .where(and(eq(diTags.osfId, osf.id), inArray(diTags.tag, tags)));
  const fixed = held.find((row) => row.isFixed);
  if (fixed !== undefined) {
    throw new AppError("conflict", `tag ${fixed.tag} is the version of an image and can't be moved`, {
      field: "tag",
    });
  }
  await inside.db
    .insert(diTags)
    .values(tags.map((tag) => ({ osfId: osf.id, tag, diId })))
    .onConflictDoUpdate({ target: [diTags.osfId, diTags.tag], set: { diId, movedAt: sql`qvd_now()` } });
  await expireOutdated(inside, { osf, diId, tags });
  return new Map(held.map((row) => [row.tag, row.diId]));
}

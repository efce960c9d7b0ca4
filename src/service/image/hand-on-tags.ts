import { and, desc, eq, isNotNull, isNull, ne } from "drizzle-orm";
import { dis, diTags, vms } from "../../db/schema/index.ts";
import { AppError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import type { FoundOsf } from "../osf/find.ts";
import type { FoundImage } from "./find.ts";
import { putTags } from "./put-tags.ts";

/** Tags that there should always be an image for. */
const SYSTEM_TAGS: readonly string[] = ["head", "default"];

/**
 * Before an image leaves: `head` and `default` go to the image that was published last before it. `conflict`
 * while it carries tags of the administrators', or desktops would be left without an image.
 */
export async function handOnTags(
  inside: Context,
  leaving: { readonly image: FoundImage; readonly osf: FoundOsf; readonly doing: string },
): Promise<void> {
  const { image, osf, doing } = leaving;
  const refuse = (why: string) =>
    new AppError("conflict", `image ${image.osfName} ${image.version} can't be ${doing}: ${why}`);
  const held = await inside.db
    .select({ tag: diTags.tag })
    .from(diTags)
    .where(and(eq(diTags.diId, image.id), eq(diTags.isFixed, false)));
  const tags = held.map(({ tag }) => tag);
  const own = tags.filter((tag) => !SYSTEM_TAGS.includes(tag));
  if (own.length > 0)
    throw refuse(`it carries the tag ${own.join(", ")}; move it to another image or remove it first`);
  const naming = await countFollowers(inside, image, image.version);
  if (naming > 0) throw refuse(`${naming} desktops start from this version; give them another tag first`);
  const [heir] = await inside.db
    .select({ id: dis.id })
    .from(dis)
    .where(
      and(
        ...[
          eq(dis.osfId, image.osfId),
          ne(dis.id, image.id),
          eq(dis.state, "ready"),
          eq(dis.isBlocked, false),
        ],
        ...[isNotNull(dis.publishedAt), isNull(dis.retiredAt)],
      ),
    )
    .orderBy(desc(dis.publishedAt))
    .limit(1);
  if (heir !== undefined) {
    await putTags(inside, { osf, diId: heir.id, tags });
    return;
  }
  for (const tag of tags) {
    const followers = await countFollowers(inside, image, tag);
    if (followers > 0)
      throw refuse(
        `it carries the tag ${tag}, which ${followers} desktops follow, and no other image is published; publish one first`,
      );
    await inside.db.delete(diTags).where(and(eq(diTags.osfId, image.osfId), eq(diTags.tag, tag)));
  }
}

function countFollowers(inside: Context, image: FoundImage, tag: string): Promise<number> {
  return inside.db.$count(vms, and(eq(vms.osfId, image.osfId), eq(vms.diTag, tag), isNull(vms.deletedAt)));
}

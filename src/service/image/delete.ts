import { and, eq, ne } from "drizzle-orm";
import { z } from "zod";
import { dis, diTags, vmReports, vms } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { type FoundImage, findImageFor } from "./find.ts";

export const deleteImageInput = z.object({ diId: idField<DiId>() });

/** Refused while it carries a tag, a desktop names its version, or one runs on it. The node removes the files. */
export async function deleteImage(context: Context, input: z.input<typeof deleteImageInput>): Promise<void> {
  const { diId } = parseInput(deleteImageInput, input);
  await change(context, { doing: `delete image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.delete", diId);
    await findOsfFor(inside, "image.delete", image.osfId);
    await refuseUsed(inside, image);
    await inside.db.delete(diTags).where(eq(diTags.diId, diId));
    await inside.db.delete(dis).where(eq(dis.id, diId));
    await auditImage(inside, "image.delete", { image, detail: { fileName: image.fileName } });
  });
}

async function refuseUsed(inside: Context, image: FoundImage): Promise<void> {
  const refuse = (why: string) =>
    new AppError("conflict", `image ${image.osfName} ${image.version} can't be deleted: ${why}`);
  const tags = await inside.db
    .select({ tag: diTags.tag })
    .from(diTags)
    .where(and(eq(diTags.diId, image.id), eq(diTags.isFixed, false)));
  if (tags.length > 0) {
    throw refuse(
      `it carries the tag ${tags.map((row) => row.tag).join(", ")}; move it to another image first`,
    );
  }
  const naming = await inside.db.$count(vms, and(eq(vms.osfId, image.osfId), eq(vms.diTag, image.version)));
  if (naming > 0) throw refuse(`${naming} desktops start from this version; give them another tag first`);
  const running = await inside.db.$count(
    vmReports,
    and(eq(vmReports.diId, image.id), ne(vmReports.state, "stopped")),
  );
  if (running > 0) throw refuse(`${running} desktops run on it; stop them first`);
}

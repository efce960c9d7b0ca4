import { and, eq, ne } from "drizzle-orm";
import { z } from "zod";
import { dis, diTags, vmReports } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";
import { type FoundImage, findImageFor } from "./find.ts";
import { handOnTags } from "./hand-on-tags.ts";

export const deleteImageInput = z.object({ diId: idField<DiId>() });

/**
 * Refused while it carries a tag of its own, a desktop names its version, or one runs on it; `head` and
 * `default` are handed on. The node removes the files.
 */
export async function deleteImage(context: Context, input: z.input<typeof deleteImageInput>): Promise<void> {
  const { diId } = parseInput(deleteImageInput, input);
  await change(context, { doing: `delete image ${diId}` }, async (inside) => {
    const image = await findImageFor(inside, "image.delete", diId);
    const osf = await findOsfFor(inside, "image.delete", image.osfId);
    await handOnTags(inside, { image, osf, doing: "deleted" });
    await refuseRunning(inside, image);
    await inside.db.delete(diTags).where(eq(diTags.diId, diId));
    await inside.db.delete(dis).where(eq(dis.id, diId));
    await auditImage(inside, "image.delete", { image, detail: { fileName: image.fileName } });
  });
}

async function refuseRunning(inside: Context, image: FoundImage): Promise<void> {
  const running = await inside.db.$count(
    vmReports,
    and(eq(vmReports.diId, image.id), ne(vmReports.state, "stopped")),
  );
  if (running === 0) return;
  const what = `image ${image.osfName} ${image.version}`;
  throw new AppError("conflict", `${what} can't be deleted: ${running} desktops run on it; stop them first`);
}

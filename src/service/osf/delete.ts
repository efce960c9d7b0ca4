import { eq } from "drizzle-orm";
import { z } from "zod";
import { dis, osfs, vms } from "../../db/schema/index.ts";
import type { OsfId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findOsfFor } from "./find.ts";

export const deleteOsfInput = z.object({ osfId: idField<OsfId>() });

/** Refused while it has images or desktops, those included that a node has still to clear away. */
export async function deleteOsf(context: Context, input: z.input<typeof deleteOsfInput>): Promise<void> {
  const { osfId } = parseInput(deleteOsfInput, input);
  await change(context, { doing: `delete OSF ${osfId}` }, async (inside) => {
    const osf = await findOsfFor(inside, "osf.delete", osfId);
    const images = await inside.db.$count(dis, eq(dis.osfId, osfId));
    const desktops = await inside.db.$count(vms, eq(vms.osfId, osfId));
    if (images + desktops > 0)
      throw new AppError(
        "conflict",
        `OS flavour ${osf.name} can't be deleted: it has ${count(images, "image")} and ${count(desktops, "desktop")}; delete them first`,
      );
    await inside.db.delete(osfs).where(eq(osfs.id, osfId));
    await recordAudit(inside, {
      action: "osf.delete",
      tenantId: osf.tenantId,
      subjectKind: "osf",
      subjectId: osfId,
      subjectName: osf.name,
    });
  });
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

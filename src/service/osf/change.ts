import { eq } from "drizzle-orm";
import { z } from "zod";
import { osfs } from "../../db/schema/index.ts";
import type { OsfId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { decimalNumber, idField, parseInput, textField, wholeNumber } from "../input.ts";
import { findOsfFor } from "./find.ts";

export const changeOsfInput = z.object({
  osfId: idField<OsfId>(),
  name: textField(1, 64).optional(),
  memoryMb: wholeNumber(64, 1_048_576).optional(),
  cpus: decimalNumber(0.1, 256).optional(),
});

/** Running desktops keep the resources they started with; the new ones hold from their next start. */
export async function changeOsf(context: Context, input: z.input<typeof changeOsfInput>): Promise<void> {
  const { osfId, ...given } = parseInput(changeOsfInput, input);
  const wanted = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const conflicts = {
    osfs_tenant_id_name_key: { message: `an OSF ${given.name} exists already in this tenant`, field: "name" },
  };
  await change(context, { doing: `change OSF ${osfId}`, conflicts }, async (inside) => {
    const osf = await findOsfFor(inside, "osf.change", osfId);
    if (Object.keys(wanted).length > 0) await inside.db.update(osfs).set(wanted).where(eq(osfs.id, osfId));
    await recordAudit(inside, {
      action: "osf.change",
      tenantId: osf.tenantId,
      subjectKind: "osf",
      subjectId: osfId,
      subjectName: osf.name,
      detail: wanted,
    });
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { dis, osfs } from "../../db/schema/index.ts";
import type { OsfId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { decimalNumber, idField, parseInput, textField, wholeNumber } from "../input.ts";
import { type FoundOsf, findOsfFor } from "./find.ts";
import { osfPolicyFields, requireSensiblePolicy } from "./policy-input.ts";

export const changeOsfInput = z.object({
  osfId: idField<OsfId>(),
  name: textField(1, 64).optional(),
  memoryMb: wholeNumber(64, 1_048_576).optional(),
  cpus: decimalNumber(0.1, 256).optional(),
  ...osfPolicyFields,
});

/** Running desktops keep the resources they started with; the new ones hold from their next start. */
export async function changeOsf(context: Context, input: z.input<typeof changeOsfInput>): Promise<void> {
  const { osfId, ...given } = parseInput(changeOsfInput, input);
  // Who takes the application back has no use for its program.
  const gone = given.isApplication === false && given.program === undefined ? { program: null } : {};
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const wanted = { ...asked, ...gone };
  const conflicts = {
    osfs_tenant_id_name_key: { message: `an OSF ${given.name} exists already in this tenant`, field: "name" },
  };
  await change(context, { doing: `change OSF ${osfId}`, conflicts }, async (inside) => {
    const osf = await findOsfFor(inside, "osf.change", osfId);
    if (given.hypervisor !== undefined && given.hypervisor !== osf.hypervisor)
      await refuseWithImages(inside, osf);
    requireSensiblePolicy({ ...osf, ...wanted }, osf);
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

/** An archive is of no use to a virtual machine, nor a disk to a container. */
async function refuseWithImages(inside: Context, osf: FoundOsf): Promise<void> {
  const found = await inside.db.select({ id: dis.id }).from(dis).where(eq(dis.osfId, osf.id)).limit(1);
  if (found.length === 0) return;
  throw new AppError(
    "conflict",
    `${osf.name} has images for ${osf.hypervisor} already; create another OSF for the other kind`,
    { field: "hypervisor" },
  );
}

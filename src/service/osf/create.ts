import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { osfs } from "../../db/schema/index.ts";
import { asId, type OsfId, type TenantId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { decimalNumber, idField, parseInput, textField, wholeNumber } from "../input.ts";
import { osfPolicyFields, requireSensiblePolicy } from "./policy-input.ts";

export const createOsfInput = z.object({
  tenantId: idField<TenantId>(),
  name: textField(1, 64),
  memoryMb: wholeNumber(64, 1_048_576).default(1024),
  cpus: decimalNumber(0.1, 256).default(2),
  ...osfPolicyFields,
});

/** An OS flavour: what a desktop of it may use. It has no image yet. */
export async function createOsf(
  context: Context,
  input: z.input<typeof createOsfInput>,
): Promise<{ osfId: OsfId }> {
  const { tenantId, name, memoryMb, cpus, ...given } = parseInput(createOsfInput, input);
  const policy = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  requireSensiblePolicy(given);
  authorize(context, "osf.create", { tenantId, what: `tenant ${tenantId}` });
  const conflicts = {
    osfs_tenant_id_name_key: { message: `an OSF ${name} exists already in this tenant`, field: "name" },
    osfs_tenant_id_fkey: { message: `tenant ${tenantId} does not exist`, field: "tenantId" },
  };
  return await change(context, { doing: `create OSF ${name}`, conflicts }, async (inside) => {
    const osfId = asId<OsfId>(
      await insertRow(inside.db, osfs, { tenantId, name, memoryMb, cpus, ...policy }),
    );
    await recordAudit(inside, {
      action: "osf.create",
      tenantId,
      subjectKind: "osf",
      subjectId: osfId,
      subjectName: name,
      detail: { memoryMb, cpus, ...policy },
    });
    return { osfId };
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField, textField } from "../input.ts";
import { auditVm } from "./audit-vm.ts";
import { findVmFor } from "./find.ts";

/** Owner, OSF, address and id range stay for life. */
export const changeVmInput = z.object({
  vmId: idField<VmId>(),
  name: textField(1, 64).optional(),
  diTag: tagField.optional(),
});

/** A new tag holds from the desktop's next start. */
export async function changeVm(context: Context, input: z.input<typeof changeVmInput>): Promise<void> {
  const { vmId, ...given } = parseInput(changeVmInput, input);
  const wanted = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const conflicts = {
    vms_tenant_id_name_key: {
      message: `a desktop ${given.name} exists already in this tenant`,
      field: "name",
    },
  };
  await change(context, { doing: `change desktop ${vmId}`, conflicts }, async (inside) => {
    const vm = await findVmFor(inside, "vm.change", vmId);
    if (Object.keys(wanted).length > 0) await inside.db.update(vms).set(wanted).where(eq(vms.id, vmId));
    await auditVm(inside, "vm.change", { vm, detail: wanted });
  });
}

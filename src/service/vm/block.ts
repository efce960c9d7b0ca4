import { eq } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField } from "../input.ts";
import { auditVm } from "./audit-vm.ts";
import { findVmFor } from "./find.ts";

export const blockVmInput = z.object({
  vmId: idField<VmId>(),
  reason: textField(0, 200).optional(),
});

/** Its user can't connect any more; a desktop that runs goes on. */
export async function blockVm(context: Context, input: z.input<typeof blockVmInput>): Promise<void> {
  const { vmId, reason } = parseInput(blockVmInput, input);
  await change(context, { doing: `block desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.block", vmId);
    await inside.db
      .update(vms)
      .set({ isBlocked: true, blockedReason: reason || null })
      .where(eq(vms.id, vmId));
    await auditVm(inside, "vm.block", { vm, detail: { reason: reason ?? "" } });
  });
}

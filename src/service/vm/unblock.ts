import { eq } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "./audit-vm.ts";
import { findVmFor } from "./find.ts";

export const unblockVmInput = z.object({ vmId: idField<VmId>() });

/** The reason goes with the block. */
export async function unblockVm(context: Context, input: z.input<typeof unblockVmInput>): Promise<void> {
  const { vmId } = parseInput(unblockVmInput, input);
  await change(context, { doing: `unblock desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.unblock", vmId);
    await inside.db.update(vms).set({ isBlocked: false, blockedReason: null }).where(eq(vms.id, vmId));
    await auditVm(inside, "vm.unblock", { vm });
  });
}

import { eq } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "./audit-vm.ts";
import { findVmFor } from "./find.ts";

export const clearVmExpiryInput = z.object({ vmId: idField<VmId>() });

/** For the node, once the life that was to expire has ended. May be called again. */
export async function clearVmExpiry(
  context: Context,
  input: z.input<typeof clearVmExpiryInput>,
): Promise<void> {
  const { vmId } = parseInput(clearVmExpiryInput, input);
  await change(context, { doing: `clear the expiry of desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.clear-expiry", vmId);
    if (vm.expiresSoftAt === null && vm.expiresHardAt === null) return;
    await inside.db.update(vms).set({ expiresSoftAt: null, expiresHardAt: null }).where(eq(vms.id, vmId));
    await auditVm(inside, "vm.clear-expiry", { vm });
  });
}

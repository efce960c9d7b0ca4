import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { vmReports, vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { whyNotDeleted } from "../../domain/vm/why-not-deleted.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "./audit-vm.ts";
import { findVmFor } from "./find.ts";

export const deleteVmInput = z.object({ vmId: idField<VmId>() });

/** Only a stopped desktop. Its node then puts the home aside, removes what is on the box, and last the row. */
export async function deleteVm(context: Context, input: z.input<typeof deleteVmInput>): Promise<void> {
  const { vmId } = parseInput(deleteVmInput, input);
  await change(context, { doing: `delete desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.delete", vmId);
    const [report] = await inside.db
      .select({ state: vmReports.state })
      .from(vmReports)
      .where(eq(vmReports.vmId, vmId));
    const refusal = whyNotDeleted({ wish: vm.wish, state: report?.state ?? "stopped" });
    if (refusal !== undefined) throw new AppError("conflict", `desktop ${vm.name} ${refusal}`);
    await inside.db.update(vms).set({ deletedAt: sql`qvd_now()` }).where(eq(vms.id, vmId));
    await auditVm(inside, "vm.delete", { vm, detail: { userId: vm.userId, osfId: vm.osfId } });
  });
}

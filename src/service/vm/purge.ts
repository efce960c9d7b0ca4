import { and, eq, isNotNull } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";

export const purgeVmInput = z.object({ vmId: idField<VmId>() });

/** The last act of a deletion, for the node that has removed everything else; its audit row is the deletion's. */
export async function purgeVm(context: Context, input: z.input<typeof purgeVmInput>): Promise<void> {
  const { vmId } = parseInput(purgeVmInput, input);
  authorize(context, "vm.purge", { what: `desktop ${vmId}`, vmId });
  await change(context, { doing: `remove the row of desktop ${vmId}` }, async (inside) => {
    await inside.db.delete(vms).where(and(eq(vms.id, vmId), isNotNull(vms.deletedAt)));
  });
}

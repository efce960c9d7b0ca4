import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "./audit-vm.ts";

export const placeVmInput = z.object({ vmId: idField<VmId>(), nodeId: idField<NodeId>() });

/**
 * Gives an unplaced desktop to a node, under a new epoch. Undefined when it has a node already, or is gone:
 * somebody else was first.
 */
export async function placeVm(
  context: Context,
  input: z.input<typeof placeVmInput>,
): Promise<{ epoch: number } | undefined> {
  const { vmId, nodeId } = parseInput(placeVmInput, input);
  authorize(context, "vm.place", { what: `desktop ${vmId}`, vmId });
  return await change(context, { doing: `place desktop ${vmId} on node ${nodeId}` }, async (inside) => {
    const [vm] = await inside.db
      .update(vms)
      .set({ nodeId, epoch: sql`${vms.epoch} + 1` })
      .where(and(eq(vms.id, vmId), isNull(vms.nodeId)))
      .returning({ id: vms.id, tenantId: vms.tenantId, name: vms.name, epoch: vms.epoch });
    if (vm === undefined) return undefined;
    await auditVm(inside, "vm.place", { vm, detail: { nodeId, epoch: vm.epoch } });
    return { epoch: vm.epoch };
  });
}

import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField } from "../input.ts";
import { appendTrail } from "../trail.ts";
import { auditVm } from "./audit-vm.ts";

export const releaseVmInput = z.object({
  vmId: idField<VmId>(),
  nodeId: idField<NodeId>(),
  /** A whole sentence for the trail. */
  text: textField(1, 500),
});

/**
 * A node gives back a desktop of which nothing is left on it, so that placement finds it another. Under a new
 * epoch: what the node may still report of it counts no more. False when it isn't the node's any longer.
 */
export async function releaseVm(
  context: Context,
  input: z.input<typeof releaseVmInput>,
): Promise<{ isReleased: boolean }> {
  const { vmId, nodeId, text } = parseInput(releaseVmInput, input);
  authorize(context, "vm.release", { what: `desktop ${vmId}`, vmId });
  return await change(context, { doing: `release desktop ${vmId} from node ${nodeId}` }, async (inside) => {
    const [vm] = await inside.db
      .update(vms)
      .set({ nodeId: null, epoch: sql`${vms.epoch} + 1` })
      .where(and(eq(vms.id, vmId), eq(vms.nodeId, nodeId)))
      .returning();
    if (vm === undefined) return { isReleased: false };
    await appendTrail(inside, { vmId, code: "desktop-released", text, wishGeneration: vm.wishGeneration });
    await auditVm(inside, "vm.release", { vm, detail: { nodeId, epoch: vm.epoch } });
    return { isReleased: true };
  });
}

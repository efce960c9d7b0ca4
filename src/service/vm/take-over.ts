import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField } from "../input.ts";

export const takeOverInput = z.object({
  nodeId: idField<NodeId>(),
  nodeName: textField(1, 127),
  reason: textField(1, 500),
});

/**
 * Takes every desktop from a lost node, under a new epoch, so that placement gives it to another. For inside a
 * transaction that has proved the loss. Returns the desktops.
 */
export async function takeOverDesktops(
  context: Context,
  input: z.input<typeof takeOverInput>,
): Promise<readonly VmId[]> {
  const { nodeId, nodeName, reason } = parseInput(takeOverInput, input);
  authorize(context, "node.take-over", { what: `node ${nodeId}` });
  return await change(context, { doing: `take over from node ${nodeName}` }, async (inside) => {
    const taken = await inside.db
      .update(vms)
      .set({ nodeId: null, epoch: sql`${vms.epoch} + 1` })
      .where(eq(vms.nodeId, nodeId))
      .returning({ id: vms.id });
    await recordAudit(inside, {
      action: "node.take-over",
      subjectKind: "node",
      subjectId: nodeId,
      subjectName: nodeName,
      detail: { reason, desktops: taken.length },
    });
    return taken.map(({ id }) => id);
  });
}

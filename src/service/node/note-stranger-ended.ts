import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField } from "../input.ts";
import { auditNode, findNodeFor } from "./find.ts";

export const noteStrangerEndedInput = z.object({
  nodeId: idField<NodeId>(),
  vmId: idField<VmId>(),
  /** What became of it, in a sentence. */
  text: textField(1, 500),
});

/** By the box that was asked to end it: nobody asks for it any longer. */
export async function noteStrangerEnded(
  context: Context,
  input: z.input<typeof noteStrangerEndedInput>,
): Promise<void> {
  const { nodeId, vmId, text } = parseInput(noteStrangerEndedInput, input);
  authorize(context, "node.note-stranger-ended", { what: `node ${nodeId}` });
  await change(context, { doing: `note the end of desktop ${vmId} on node ${nodeId}` }, async (inside) => {
    const node = await findNodeFor(inside, nodeId);
    const left = sql`array_remove(${nodes.strangersToEnd}, ${vmId}::int)`;
    await inside.db.update(nodes).set({ strangersToEnd: left }).where(eq(nodes.id, nodeId));
    await auditNode(inside, "node.note-stranger-ended", { node, detail: { vmId, text } });
  });
}

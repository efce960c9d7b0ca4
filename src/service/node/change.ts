import { eq } from "drizzle-orm";
import { z } from "zod";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { decimalNumber, idField, parseInput } from "../input.ts";
import { auditNode, findNodeFor } from "./find.ts";

export const changeNodeInput = z.object({
  nodeId: idField<NodeId>(),
  /** Multiplies the node's score in placement; 0 keeps it as the last resort. */
  weight: decimalNumber(0, 100),
});

export async function changeNode(context: Context, input: z.input<typeof changeNodeInput>): Promise<void> {
  const { nodeId, weight } = parseInput(changeNodeInput, input);
  authorize(context, "node.change", { what: `node ${nodeId}` });
  await change(context, { doing: `change node ${nodeId}` }, async (inside) => {
    const node = await findNodeFor(inside, nodeId);
    await inside.db.update(nodes).set({ weight }).where(eq(nodes.id, nodeId));
    await auditNode(inside, "node.change", { node, detail: { weight } });
  });
}

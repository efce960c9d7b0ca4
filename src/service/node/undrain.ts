import { eq } from "drizzle-orm";
import { z } from "zod";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditNode, findNodeFor } from "./find.ts";

export const undrainNodeInput = z.object({ nodeId: idField<NodeId>() });

/** The node takes desktops again. Those that left don't come back by themselves. */
export async function undrainNode(context: Context, input: z.input<typeof undrainNodeInput>): Promise<void> {
  const { nodeId } = parseInput(undrainNodeInput, input);
  authorize(context, "node.undrain", { what: `node ${nodeId}` });
  await change(context, { doing: `end the drain of node ${nodeId}` }, async (inside) => {
    const node = await findNodeFor(inside, nodeId);
    await inside.db.update(nodes).set({ drain: null, drainedAt: null }).where(eq(nodes.id, nodeId));
    await auditNode(inside, "node.undrain", { node });
  });
}

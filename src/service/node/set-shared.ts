import { eq } from "drizzle-orm";
import { z } from "zod";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField } from "../input.ts";

export const setSharedInput = z.object({ nodeId: idField<NodeId>(), sharedId: textField(1, 64).nullable() });

/** Notes which shared storage the box has mounted, null for none: its desktops can move within one. */
export async function setShared(context: Context, input: z.input<typeof setSharedInput>): Promise<void> {
  const { nodeId, sharedId } = parseInput(setSharedInput, input);
  authorize(context, "node.set-shared", { what: `node ${nodeId}` });
  await change(context, { doing: `note the shared storage of node ${nodeId}` }, async (inside) => {
    await inside.db.update(nodes).set({ sharedId }).where(eq(nodes.id, nodeId));
  });
}

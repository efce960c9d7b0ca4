import { z } from "zod";
import type { NodeId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setNodeBlocked } from "./set-blocked.ts";

export const unblockNodeInput = z.object({ nodeId: idField<NodeId>() });

export async function unblockNode(context: Context, input: z.input<typeof unblockNodeInput>): Promise<void> {
  const { nodeId } = parseInput(unblockNodeInput, input);
  await setNodeBlocked(context, nodeId, false);
}

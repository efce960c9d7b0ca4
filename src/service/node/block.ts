import { z } from "zod";
import type { NodeId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setNodeBlocked } from "./set-blocked.ts";

export const blockNodeInput = z.object({ nodeId: idField<NodeId>() });

/** A blocked node takes no new clients and no new desktops; what runs there goes on. */
export async function blockNode(context: Context, input: z.input<typeof blockNodeInput>): Promise<void> {
  const { nodeId } = parseInput(blockNodeInput, input);
  await setNodeBlocked(context, nodeId, true);
}

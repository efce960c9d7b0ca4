import { z } from "zod";
import type { VmId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import type { RecordedWish } from "./record-wish.ts";
import { wishOne } from "./wish-one.ts";

export const wishVmRunningInput = z.object({ vmId: idField<VmId>() });

/** May be called again: a desktop that is on its way up is left alone, one that was given up is tried afresh. */
export async function wishVmRunning(
  context: Context,
  input: z.input<typeof wishVmRunningInput>,
): Promise<RecordedWish> {
  const { vmId } = parseInput(wishVmRunningInput, input);
  const doing = `start desktop ${vmId}`;
  return await wishOne(context, { vmId, wish: "running", text: "Asked to start.", doing });
}

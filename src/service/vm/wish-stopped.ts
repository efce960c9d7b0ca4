import { z } from "zod";
import type { VmId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput, wholeNumber } from "../input.ts";
import type { RecordedWish } from "./record-wish.ts";
import { wishOne } from "./wish-one.ts";

export const wishVmStoppedInput = z.object({
  vmId: idField<VmId>(),
  /**
   * The generation that the asker acted upon, where they may be late: a power-off announced from inside must
   * not undo a wish made since. Without it the wish always counts.
   */
  generation: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
});

/** May be called again; a blocked desktop may be stopped. */
export async function wishVmStopped(
  context: Context,
  input: z.input<typeof wishVmStoppedInput>,
): Promise<RecordedWish> {
  const { vmId, generation } = parseInput(wishVmStoppedInput, input);
  const text = context.actor.kind === "vm" ? "Powered off from inside." : "Asked to stop.";
  return await wishOne(context, { vmId, wish: "stopped", text, doing: `stop desktop ${vmId}`, generation });
}

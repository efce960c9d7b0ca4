import { z } from "zod";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, wholeNumber } from "../input.ts";
import { findVmFor } from "./find.ts";
import { type RecordedWish, recordWish } from "./record-wish.ts";

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
  return await change(context, { doing: `stop desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.wish-stopped", vmId);
    if (generation !== undefined && generation < vm.wishGeneration) {
      return { generation: vm.wishGeneration, isNew: false };
    }
    const text = inside.actor.kind === "vm" ? "Powered off from inside." : "Asked to stop.";
    return await recordWish(inside, vm, { wish: "stopped", text, action: "vm.wish-stopped" });
  });
}

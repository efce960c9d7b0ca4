import { z } from "zod";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findVmFor } from "./find.ts";
import { type RecordedWish, recordWish } from "./record-wish.ts";
import { refuseBlocked } from "./refuse-blocked.ts";

export const wishVmRunningInput = z.object({ vmId: idField<VmId>() });

/** May be called again: a desktop that is on its way up is left alone, one that was given up is tried afresh. */
export async function wishVmRunning(
  context: Context,
  input: z.input<typeof wishVmRunningInput>,
): Promise<RecordedWish> {
  const { vmId } = parseInput(wishVmRunningInput, input);
  return await change(context, { doing: `start desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.wish-running", vmId);
    refuseBlocked(vm);
    return await recordWish(inside, vm, {
      wish: "running",
      text: "Asked to start.",
      action: "vm.wish-running",
    });
  });
}

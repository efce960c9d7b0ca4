import { and, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { sessions } from "../../db/schema/index.ts";
import type { SystemActor } from "../../domain/access/actor.ts";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, textField, wholeNumber } from "../input.ts";
import { auditVm } from "./audit-vm.ts";
import { findVmFor } from "./find.ts";
import { type RecordedWish, recordWish } from "./record-wish.ts";

export const wishVmStoppedByPolicyInput = z.object({
  vmId: idField<VmId>(),
  /** The generation that the node acted upon: a wish made since counts more. */
  generation: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  cause: z.enum(["idle", "expired", "crashed"]),
  /** The trail's sentence. */
  text: textField(1, 500),
});

/**
 * What an OSF says of its desktops, carried out by their node and recorded as nobody's wish but the policy's
 * (`system:idle`). Somebody who came back meanwhile keeps an idle desktop.
 */
export async function wishVmStoppedByPolicy(
  context: Context,
  input: z.input<typeof wishVmStoppedByPolicyInput>,
): Promise<RecordedWish> {
  const { vmId, generation, cause, text } = parseInput(wishVmStoppedByPolicyInput, input);
  return await change(context, { doing: `stop desktop ${vmId} (${cause})` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.wish-stopped-by-policy", vmId);
    const isLate =
      generation < vm.wishGeneration || (cause === "idle" && (await hasLiveSession(inside, vmId)));
    if (isLate) return { generation: vm.wishGeneration, isNew: false };
    const actor: SystemActor = { kind: "system", what: cause };
    const recorded = await recordWish({ ...inside, actor }, vm, { wish: "stopped", text });
    if (recorded.isNew) await auditVm(inside, "vm.wish-stopped-by-policy", { vm, detail: { cause } });
    return recorded;
  });
}

/** The desktop's row is locked, and requests of sessions lock it too: nobody comes in between. */
async function hasLiveSession(inside: Context, vmId: VmId): Promise<boolean> {
  const live = await inside.db
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.vmId, vmId), isNull(sessions.endedAt), isNull(sessions.supersededAt)))
    .limit(1);
  return live.length > 0;
}

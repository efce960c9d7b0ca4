/**
 * The same wish for many desktops, as an administrator or a program gives it: one transaction, whose statements
 * are as few for five hundred as for one. Each desktop stands for itself: one that is refused keeps no other from
 * its wish.
 */

import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { vmReports, vms } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { type AppError, type ErrorCode, isAppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { noSuchVm } from "./find.ts";
import { isNewWish, recordWishes } from "./record-wish.ts";
import { refuseBlocked } from "./refuse-blocked.ts";

export const MOST_WISHES = 1_000;

export const wishVmsInput = z.object({
  vmIds: z.array(idField<VmId>()).max(MOST_WISHES, `must name at most ${MOST_WISHES} desktops`),
  wish: z.enum(["running", "stopped"]),
});

export type WishRefusal = { readonly vmId: VmId; readonly code: ErrorCode; readonly message: string };

export type WishedVms = {
  /** Those that got a new wish. */
  readonly wished: readonly VmId[];
  /** Those that are wished so already. */
  readonly unchanged: readonly VmId[];
  readonly refused: readonly WishRefusal[];
};

/**
 * May be called again: what is on its way is left alone. Throws where none could be wished and all were refused for the
 * same reason, as for one.
 */
export async function wishVms(context: Context, input: z.input<typeof wishVmsInput>): Promise<WishedVms> {
  const { vmIds, wish } = parseInput(wishVmsInput, input);
  const action = wish === "running" ? "vm.wish-running" : "vm.wish-stopped";
  const text = wish === "running" ? "Asked to start." : "Asked to stop.";
  const doing = `${wish === "running" ? "start" : "stop"} ${vmIds.length} desktops`;
  return await change(context, { doing }, async (inside) => {
    const found = await lockVms(inside, vmIds);
    const wished: VmId[] = [];
    const unchanged: VmId[] = [];
    const refused: { vmId: VmId; error: AppError }[] = [];
    for (const vmId of new Set(vmIds)) {
      const vm = found.get(vmId);
      const error = refusalOf(inside, { vm, vmId, action });
      if (error !== undefined) refused.push({ vmId, error });
      else if (vm !== undefined) (isNewWish(vm, wish) ? wished : unchanged).push(vmId);
    }
    const [first] = refused;
    const isSame = refused.every(({ error }) => error.code === first?.error.code);
    if (first !== undefined && isSame && wished.length + unchanged.length === 0) throw first.error;
    await recordWishes(inside, wished, { wish, text, action });
    const refusals = refused.map(({ vmId, error: { code, message } }) => ({ vmId, code, message }));
    return { wished, unchanged, refused: refusals };
  });
}

/** By id, their rows locked until the transaction ends: in one order for all, so that no two wait in a ring. */
async function lockVms(inside: Context, vmIds: readonly VmId[]) {
  const rows = await inside.db
    .select({
      ...{ id: vms.id, tenantId: vms.tenantId, userId: vms.userId, isBlocked: vms.isBlocked },
      ...{ wish: vms.wish, wishGeneration: vms.wishGeneration },
      state: vmReports.state,
      generationSeen: vmReports.generationSeen,
    })
    .from(vms)
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .where(and(sql`${vms.id} = any (${`{${vmIds.join(",")}}`}::int[])`, isNull(vms.deletedAt)))
    .orderBy(vms.id)
    .for("update", { of: vms });
  return new Map(
    rows.map(({ state, generationSeen, ...vm }) => [
      vm.id,
      { ...vm, report: state === null ? undefined : { state, generationSeen: generationSeen ?? 0 } },
    ]),
  );
}

type LockedVm = NonNullable<Awaited<ReturnType<typeof lockVms>> extends Map<VmId, infer Vm> ? Vm : never>;

function refusalOf(
  inside: Context,
  of: {
    readonly vm: LockedVm | undefined;
    readonly vmId: VmId;
    readonly action: "vm.wish-running" | "vm.wish-stopped";
  },
): AppError | undefined {
  const { vm, vmId, action } = of;
  try {
    if (vm === undefined) throw noSuchVm();
    const { tenantId, userId: ownerId } = vm;
    authorize(inside, action, { what: `desktop ${vmId}`, tenantId, ownerId, vmId });
    if (action === "vm.wish-running") refuseBlocked(vm);
    return undefined;
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
}

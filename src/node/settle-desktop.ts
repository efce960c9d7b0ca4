import type { VmId } from "../domain/ids.ts";
import type { LoopDeps } from "./deps.ts";

/** Never throws: a desktop that stays with a small share of the processors is slow, but it runs. */
export async function settleDesktop(
  { hypervisor, log }: Pick<LoopDeps, "hypervisor" | "log">,
  vmId: VmId,
): Promise<void> {
  await hypervisor.settle(vmId).catch((error) => log.warn("desktop-not-settled", { vmId, error }));
}

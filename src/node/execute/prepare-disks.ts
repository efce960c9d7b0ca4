import type { NodeDesktop } from "../../db/queries/node-desktops.ts";
import type { DiId, VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { LoopDeps } from "../deps.ts";
import { reportHomeOverLimit } from "../report/report-home.ts";
import { machineKeeps, portOptions } from "./desktop-spec.ts";
import type { Executor } from "./executor.ts";
import { leaveSessionOrder } from "./session-order.ts";

/**
 * A machine's network port comes along, since it takes as long to make as the disks; a container's, with its start. So does what
 * a session that waits is begun by: init looks for it once, some milliseconds after its container was started.
 */
export const prepareDisks: Executor<"prepare-disks"> = async (deps, { desktop }, { diId }) => {
  const { vmId, address, osf } = desktop;
  const made = await Promise.allSettled([
    makeDisks(deps, desktop, diId),
    osf.hypervisor === "kvm" ? deps.network.addPort(vmId, address, portOptions(desktop)) : undefined,
    leaveSessionOrder(deps, desktop),
  ]);
  // Both have ended by now: what is taken down after a failure must not be put up meanwhile.
  for (const one of made) if (one.status === "rejected") throw one.reason;
};

async function makeDisks(deps: LoopDeps, desktop: NodeDesktop, diId: DiId): Promise<void> {
  const { vmId, idSlot: slot, image, osf } = desktop;
  const { persistence, keptFolders } = osf;
  const limits = { homeMb: osf.homeMb ?? undefined, systemMb: osf.systemMb ?? undefined };
  if (osf.hypervisor !== "kvm") {
    const request = { vmId, diId, slot, persistence, keptFolders, ...limits };
    const { homeOverMb } = await deps.storage.mountDesktop(request);
    if (homeOverMb !== undefined) tellOverLimit(deps, vmId, { homeOverMb, limitMb: osf.homeMb ?? 0 });
    return;
  }
  if (image?.id !== diId)
    throw new AppError("superseded", `making disks of image ${diId}: its tag has moved to another image`);
  await deps.storage.prepareMachine({ vmId, slot, ...machineKeeps(deps.settings, desktop), ...limits });
}

/** Beside the start, which goes on whether it is told or not. */
function tellOverLimit(
  { db, node, log }: LoopDeps,
  vmId: VmId,
  size: { readonly homeOverMb: number; readonly limitMb: number },
): void {
  log.warn("home-over-limit", { vmId, ...size });
  reportHomeOverLimit(db, node.nodeId, { vmId, ...size }).catch((error) =>
    log.warn("home-over-limit-not-told", { vmId, error }),
  );
}

import { portOptions } from "./desktop-spec.ts";
import type { Executor } from "./executor.ts";

/** The network port comes along, since it takes as long to make as the disks and needs nothing of them. */
export const prepareDisks: Executor<"prepare-disks"> = async (deps, { desktop }, { diId }) => {
  const { vmId, address, idSlot: slot, osf } = desktop;
  const { persistence, keptFolders } = osf;
  const limits = { homeMb: osf.homeMb ?? undefined, systemMb: osf.systemMb ?? undefined };
  const made = await Promise.allSettled([
    deps.storage.mountDesktop({ vmId, diId, slot, persistence, keptFolders, ...limits }),
    deps.network.addPort(vmId, address, portOptions(desktop)),
  ]);
  // Both have ended by now: what is taken down after a failure must not be put up meanwhile.
  for (const one of made) if (one.status === "rejected") throw one.reason;
};

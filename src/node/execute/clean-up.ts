import type { Executor } from "./executor.ts";

/** The hypervisor goes first: it refuses while anything of the desktop lives, and then nothing is touched. */
export const cleanUp: Executor<"clean-up"> = async (deps, { desktop }) => {
  await deps.hypervisor.cleanUp(desktop.vmId);
  await deps.network.removePort(desktop.vmId);
  deps.channels.close(desktop.vmId);
  await deps.storage.unmountDesktop(desktop.vmId);
};

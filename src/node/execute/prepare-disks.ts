import type { Executor } from "./executor.ts";

export const prepareDisks: Executor<"prepare-disks"> = async (deps, { desktop }, { diId }) => {
  await deps.storage.mountDesktop({ vmId: desktop.vmId, diId, slot: desktop.idSlot });
};

import { channelPlace, desktopSpec } from "./desktop-spec.ts";
import type { Executor } from "./executor.ts";

/** Its network port came with its disks. The channel is open before the desktop is, so that its agent finds it at its first try. */
export const startContainer: Executor<"start-container"> = async (deps, { desktop, signal }) => {
  deps.channels.open(desktop.vmId, channelPlace(deps.settings, desktop));
  const port = deps.network.portOf(desktop.vmId, desktop.address);
  await deps.hypervisor.start(desktopSpec(deps.settings, desktop, port), signal);
};

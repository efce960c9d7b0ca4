import { rmSync } from "node:fs";
import type { VmId } from "../../domain/ids.ts";
import { vmLayout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";
import type { LoopDeps } from "../deps.ts";

/**
 * Removes everything of a dead desktop but its home. The hypervisor goes first: it refuses while anything of
 * the desktop lives, and then nothing is touched. The folder goes last, as the mark that there is work left.
 */
export async function cleanUpDesktop(deps: LoopDeps, vmId: VmId): Promise<void> {
  await deps.hypervisor.cleanUp(vmId);
  await deps.network.removePort(vmId);
  deps.channels.close(vmId);
  rmSync(vmLayout(deps.settings.layout, vmId).channel, { recursive: true, force: true });
  await deps.storage.unmountDesktop(vmId);
  await deps.storage.sweepMachine(vmId);
  const left = (await deps.storage.listMounted([vmId])).get(vmId);
  if (left === undefined) return;
  const what = left.mounts.length > 0 ? left.mounts.join(", ") : vmLayout(deps.settings.layout, vmId).folder;
  throw new AppError("driver-failed", `cleaning up after desktop ${vmId}: ${what} can't be removed`);
}

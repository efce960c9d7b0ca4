import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { runHostHook } from "../hooks/host-hooks.ts";
import { channelPlace, desktopSpec } from "./desktop-spec.ts";
import type { Executor } from "./executor.ts";

/** Its network port came with its disks. The channel is open before the desktop is, so that its agent finds it at its first try. */
export const startContainer: Executor<"start-container"> = async (
  deps,
  { desktop, signal },
  { incarnation },
) => {
  const place = channelPlace(deps.settings, desktop);
  if (desktop.osf.hasAgent) deps.channels.open(desktop.vmId, place);
  // Seen inside as /run/qvd/incarnation: who reads what a desktop wrote can tell its lives apart.
  mkdirSync(dirname(place.socketPath), { recursive: true });
  writeFileSync(`${dirname(place.socketPath)}/incarnation`, `${desktop.epoch} ${incarnation}\n`);
  await runHostHook(deps, "prestart", { desktop, state: "starting" });
  const port = deps.network.portOf(desktop.vmId, desktop.address);
  await deps.hypervisor.start(desktopSpec(deps.settings, desktop, port), signal);
};

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { runHostHook } from "../hooks/host-hooks.ts";
import { channelPlace, desktopSpec, portOptions } from "./desktop-spec.ts";
import type { Executor } from "./executor.ts";

/**
 * The channel is open before the desktop is, so that its agent finds it at its first try. A container may be there before the
 * packet filter lets it through: until then, what it says is dropped.
 */
export const startContainer: Executor<"start-container"> = async (
  deps,
  { desktop, signal },
  { incarnation },
) => {
  const { vmId, address, osf } = desktop;
  const place = channelPlace(deps.settings, desktop);
  if (osf.hasAgent) deps.channels.open(vmId, place);
  // Seen inside as /run/qvd/incarnation: who reads what a desktop wrote can tell its lives apart.
  mkdirSync(dirname(place.socketPath), { recursive: true });
  writeFileSync(`${dirname(place.socketPath)}/incarnation`, `${desktop.epoch} ${incarnation}\n`);
  await runHostHook(deps, "prestart", { desktop, state: "starting" });
  const port = deps.network.portOf(vmId, address);
  // First of all: it takes longest, and of the others none is needed before its first program runs.
  const spec = { ...desktopSpec(deps.settings, desktop, port), standsBack: deps.isAtWork?.() ?? true };
  const started = deps.hypervisor.start(spec, signal);
  const plugged =
    osf.hypervisor === "kvm" ? undefined : deps.network.addPort(vmId, address, portOptions(desktop));
  const [start, plug] = await Promise.allSettled([started, plugged]);
  if (start.status === "rejected") throw start.reason;
  if (plug.status === "fulfilled") return deps.earlySessions?.watch(vmId);
  // It would run and reach nobody.
  await deps.hypervisor.kill(vmId);
  throw plug.reason;
};

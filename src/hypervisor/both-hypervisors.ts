/**
 * Containers and virtual machines behind the one contract: a start goes to the driver of its kind, any other
 * verb to both, since it does nothing to a desktop that a driver doesn't know. So a desktop whose OSF changed
 * its kind while it ran is still ended by whoever runs it.
 */

import type { VmId } from "../domain/ids.ts";
import type { DesktopObservation, Hypervisor } from "./driver.ts";

export function bothHypervisors(containers: Hypervisor, machines: Hypervisor): Hypervisor {
  const both = [containers, machines];
  const all = async (verb: "settle" | "halt" | "terminate" | "kill" | "cleanUp", vmId: VmId) => {
    for (const driver of both) await driver[verb](vmId);
  };
  return {
    async observe(only) {
      const seen = new Map<VmId, DesktopObservation>(await containers.observe(only));
      // It lives, whatever else there may be of it; and it is looked at many times a start.
      const rest = only?.filter((vmId) => seen.get(vmId)?.isAlive !== true);
      if (rest?.length === 0) return seen;
      for (const [vmId, one] of await machines.observe(rest)) seen.set(vmId, join(seen.get(vmId), one));
      return seen;
    },
    expectStart: () => {
      for (const driver of both) driver.expectStart?.();
    },
    start: (spec, signal) => (spec.kind === "container" ? containers : machines).start(spec, signal),
    settle: (vmId) => all("settle", vmId),
    widenWay: async (vmId) => (await containers.widenWay?.(vmId)) === true,
    halt: (vmId) => all("halt", vmId),
    isListening: (vmId, port) => both.some((driver) => driver.isListening?.(vmId, port) === true),
    terminate: (vmId) => all("terminate", vmId),
    kill: (vmId) => all("kill", vmId),
    cleanUp: (vmId) => all("cleanUp", vmId),
    watch(onChange) {
      const stops = both.map((driver) => driver.watch(onChange));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

function join(one: DesktopObservation | undefined, other: DesktopObservation): DesktopObservation {
  if (one === undefined) return other;
  return {
    vmId: other.vmId,
    isAlive: one.isAlive || other.isAlive,
    leftovers: [...one.leftovers, ...other.leftovers],
  };
}

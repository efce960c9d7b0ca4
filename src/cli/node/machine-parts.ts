/** How virtual machines run on this box: their driver, whether by the processor's help, and the patience with them. */

import type { Config } from "../../config/load-config.ts";
import type { Layout } from "../../domain/node/layout.ts";
import { VM_LIMITS } from "../../domain/vm/facts.ts";
import type { Hypervisor } from "../../hypervisor/driver.ts";
import { createKvmHypervisor } from "../../hypervisor/kvm/kvm-hypervisor.ts";
import { type Acceleration, probeAcceleration } from "../../hypervisor/kvm/probe-acceleration.ts";
import type { Log } from "../../lib/log.ts";
import type { NodeSettings } from "../../node/deps.ts";
import { readGroupId } from "../accounts.ts";

export type MachineParts = {
  readonly machines: Hypervisor;
  /** Takes up to ten seconds at its first call. */
  readonly acceleration: () => Promise<Acceleration>;
  readonly settings: Pick<NodeSettings, "machineLimits" | "machineAccelerator">;
};

/** A machine boots a whole system; an emulated one takes some 20 s for that on a box with nothing else to do. */
const SLOWER_START = 4;

export async function machineParts(config: Config, layout: Layout, log: Log): Promise<MachineParts> {
  const { instance } = config;
  let probed: Promise<Acceleration> | undefined;
  let known: Acceleration | undefined;
  const probe = async () => {
    known = await probeAcceleration({ runFolder: layout.runFolder });
    return known;
  };
  const acceleration = () => {
    // One that failed is asked again.
    probed ??= probe().catch((error) => {
      probed = undefined;
      throw error;
    });
    return probed;
  };
  return {
    machines: await createKvmHypervisor({
      ...{ instance, layout, acceleration, log, kvmGid: readGroupId("kvm") },
    }),
    acceleration,
    settings: {
      machineLimits: { ...VM_LIMITS, startTimeoutMs: config.startTimeoutSeconds * 1000 * SLOWER_START },
      machineAccelerator: () => known?.accelerator,
    },
  };
}

/** Simulated desktops whose agents answer the guest channel over the real socket, by the system's timers. */

import { existsSync } from "node:fs";
import {
  SimHost as AnySimHost,
  SimHypervisor as AnySimHypervisor,
  type SimOptions,
} from "../../../src/hypervisor/sim/sim-hypervisor.ts";
import { systemTimers } from "../../../src/lib/clock.ts";
import { SimAgent } from "./agent.ts";

export { SIM_TRAITS, type SimTraits } from "../../../src/hypervisor/sim/sim-hypervisor.ts";
export type SimHost = AnySimHost<SimAgent>;
export type SimHypervisor = AnySimHypervisor<SimAgent>;

const OPTIONS: SimOptions<SimAgent> = {
  timers: systemTimers,
  makeGuest: (spec, behaviour) => new SimAgent(`${spec.channelFolder}/guest.sock`, behaviour),
  hasDisk: existsSync,
};

export function createSimHost(): SimHost {
  return new AnySimHost();
}

export function createSimHypervisor(host: SimHost = createSimHost()): SimHypervisor {
  return new AnySimHypervisor(OPTIONS, host);
}

/**
 * Checks the desktops' own networks from outside, beside the passes: a check may take a second where nobody
 * answers. What it found lies in the desktop's memory and wakes it when it is news. Has their ways to the box looked at, too.
 */

import type { VmId } from "../domain/ids.ts";
import type { VmNetwork, VmObserved } from "../domain/vm/facts.ts";
import type { Timers } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { LoopDeps } from "./deps.ts";
import type { VmMemory } from "./memory.ts";
import { WayWatch } from "./way-watch.ts";

export type NetworkWatchDeps = Pick<LoopDeps, "network" | "clock" | "log"> & {
  readonly channels: Pick<LoopDeps["channels"], "read">;
  readonly hypervisor: Pick<LoopDeps["hypervisor"], "widenWay">;
  readonly timers: Timers;
  readonly wake: (vmId: VmId) => void;
};

/** How often a desktop that runs well is checked, and one that is ill, or may be. */
export type NetworkTimes = { readonly wellEveryMs: number; readonly illEveryMs: number };

export const NETWORK_TIMES: NetworkTimes = { wellEveryMs: 30_000, illEveryMs: 2_000 };

export class NetworkWatch {
  readonly #deps: NetworkWatchDeps;
  readonly #times: NetworkTimes;
  readonly #asking = new Set<VmId>();
  readonly #ways: WayWatch;

  constructor(deps: NetworkWatchDeps, times: NetworkTimes = NETWORK_TIMES) {
    this.#deps = deps;
    this.#times = times;
    this.#ways = new WayWatch(deps);
  }

  /**
   * Asks when it is time; to be called at each look at a desktop. True when
   * its plan should wait for the answer: its agent is there, and nothing is known yet. A container's network is
   * up before its agent is, so that it is asked while it boots and nobody waits.
   */
  look(memory: VmMemory, { isAlive, agent }: Pick<VmObserved, "isAlive" | "agent">): boolean {
    if (isAlive) this.#ways.look(memory);
    const { state } = memory.report;
    const isUp = state === "running" || state === "starting_2";
    // A machine without our agent has the network that it likes, or none.
    if (!isAlive || !isUp || !memory.desktop.osf.hasAgent) return false;
    const { network } = memory;
    const everyMs = isPoor(network) ? this.#times.illEveryMs : this.#times.wellEveryMs;
    const isDue = network === undefined || this.#deps.clock.monotonicMs() - network.atMs >= everyMs;
    if (isDue && !this.#asking.has(memory.desktop.vmId)) void this.#ask(memory);
    return state === "starting_2" && agent.isAttached && memory.network === undefined;
  }

  async #ask(memory: VmMemory): Promise<void> {
    const { network, clock, channels, timers, wake } = this.#deps;
    const { vmId, address } = memory.desktop;
    const life = memory.report.incarnation;
    const isAttached = () => channels.read(vmId)?.isAttached === true;
    const isEarly = memory.report.state === "starting_2" && !isAttached();
    this.#asking.add(vmId);
    const seen = await network.checkPort(vmId, address).catch((error): undefined => {
      // Not known is not broken: the next look asks again.
      this.#deps.log.warn("network-check-failed", { vmId, error: describeError(error) });
      return undefined;
    });
    this.#asking.delete(vmId);
    if (memory.report.incarnation !== life) return;
    if (isEarly && seen?.isOk !== true) {
      // Too early to tell: its agent's first word, which may have come meanwhile, has it asked again.
      if (isAttached()) wake(vmId);
      return;
    }
    const next = judge(memory.network, seen);
    const isNews = memory.network === undefined || next.seen?.isOk !== memory.network.seen?.isOk;
    memory.network = { ...next, atMs: clock.monotonicMs() };
    if (isNews) wake(vmId);
    else if (isPoor(memory.network)) timers.after(this.#times.illEveryMs, () => wake(vmId));
  }
}

function isPoor(network: VmMemory["network"]): boolean {
  return network !== undefined && (network.isDoubtful || network.seen?.isOk === false);
}

/** One unanswered question may be a busy moment of the box; of a desktop that was well, two are believed. */
function judge(
  last: VmMemory["network"],
  seen: VmNetwork | undefined,
): { readonly seen: VmNetwork | undefined; readonly isDoubtful: boolean } {
  if (seen === undefined) return { seen: last?.seen, isDoubtful: false };
  const isDoubtful = !seen.isOk && last?.seen?.isOk === true && !last.isDoubtful;
  return { seen: isDoubtful ? last?.seen : seen, isDoubtful };
}

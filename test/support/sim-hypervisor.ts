/**
 * Desktops that exist only in this process, for tests of the node's loop: start, boot, answer their agent's
 * channel over the real socket, go down or refuse to, die, leave things behind. Passes the drivers' contract.
 */

import { existsSync } from "node:fs";
import type { VmId } from "../../src/domain/ids.ts";
import type { DesktopObservation, DesktopSpec, Hypervisor } from "../../src/hypervisor/driver.ts";
import { AppError } from "../../src/lib/errors.ts";
import { sleep } from "../../src/lib/wait.ts";
import { SimAgent } from "./sim-agent.ts";

export type SimTraits = {
  /** How long the driver takes to start it. */
  readonly startMs: number;
  /** How long it takes to go down at the halt signal; some of its processes may not listen. */
  readonly haltMs: number;
  /** Milliseconds from start to the agent's hello; undefined: the agent never comes. */
  readonly bootMs: number | undefined;
  /** How many starts fail before one works. */
  readonly failingStarts: number;
  /** Dies by itself so long after its start. */
  readonly diesAfterMs: number | undefined;
  readonly ignoresHalt: boolean;
  readonly ignoresTerminate: boolean;
  readonly ignoresPoweroff: boolean;
  readonly failsSessions: boolean;
};

export const SIM_TRAITS: SimTraits = {
  startMs: 2,
  haltMs: 0,
  bootMs: 5,
  failingStarts: 0,
  diesAfterMs: undefined,
  ignoresHalt: false,
  ignoresTerminate: false,
  ignoresPoweroff: false,
  failsSessions: false,
};

type SimDesktop = {
  isAlive: boolean;
  /** Counts starts: a desktop that was never restarted still has its first. */
  life: number;
  agent: SimAgent | undefined;
  hasBooted: boolean;
  timers: ReturnType<typeof setTimeout>[];
};

/** What is there whether or not a driver looks at it. */
export class SimHost {
  readonly desktops = new Map<VmId, SimDesktop>();
  readonly traits = new Map<VmId, SimTraits>();
  readonly watchers = new Set<(vmId: VmId) => void>();
}

export class SimHypervisor implements Hypervisor {
  readonly #desktops: Map<VmId, SimDesktop>;
  readonly #traits: Map<VmId, SimTraits>;
  readonly #watchers: Set<(vmId: VmId) => void>;
  /** The most that were between start and agent at one time. */
  mostStarting = 0;
  #starting = 0;
  #starts = 0;

  /** Several over one host are as the drivers of a node before and after its restart. */
  constructor(host: SimHost = new SimHost()) {
    this.#desktops = host.desktops;
    this.#traits = host.traits;
    this.#watchers = host.watchers;
  }

  set(vmId: VmId, traits: Partial<SimTraits>): void {
    this.#traits.set(vmId, { ...this.traits(vmId), ...traits });
  }

  traits(vmId: VmId): SimTraits {
    return this.#traits.get(vmId) ?? SIM_TRAITS;
  }

  get starts(): number {
    return this.#starts;
  }

  life(vmId: VmId): number {
    return this.#desktops.get(vmId)?.life ?? 0;
  }

  agent(vmId: VmId): SimAgent | undefined {
    return this.#desktops.get(vmId)?.agent;
  }

  /** Its agent was started in its present life. */
  hasBooted(vmId: VmId): boolean {
    return this.#desktops.get(vmId)?.hasBooted ?? false;
  }

  isAlive(vmId: VmId): boolean {
    return this.#desktops.get(vmId)?.isAlive ?? false;
  }

  /** As when its init is killed. */
  die(vmId: VmId): void {
    const desktop = this.#desktops.get(vmId);
    if (desktop === undefined || !desktop.isAlive) return;
    desktop.isAlive = false;
    for (const timer of desktop.timers.splice(0)) clearTimeout(timer);
    desktop.agent?.leave();
    desktop.agent = undefined;
    for (const watcher of this.#watchers) watcher(vmId);
  }

  async observe(): Promise<ReadonlyMap<VmId, DesktopObservation>> {
    return new Map(
      [...this.#desktops].map(([vmId, { isAlive }]) => [
        vmId,
        { vmId, isAlive, leftovers: isAlive ? [] : [`group of ${vmId}`] },
      ]),
    );
  }

  async start(spec: DesktopSpec, signal: AbortSignal): Promise<void> {
    const { vmId } = spec;
    if (this.isAlive(vmId)) throw new AppError("conflict", `Starting desktop ${vmId}: it already runs`);
    const life = this.life(vmId) + 1;
    this.#desktops.delete(vmId);
    this.#starts++;
    this.mostStarting = Math.max(this.mostStarting, ++this.#starting);
    await sleep(this.traits(vmId).startMs, signal);
    this.#starting--;
    signal.throwIfAborted();
    const disk = spec.kind === "container" ? spec.rootFolder : spec.systemDisk;
    if (!existsSync(disk))
      throw new AppError("driver-failed", `Starting desktop ${vmId}: ${disk} is missing`);
    const traits = this.traits(vmId);
    if (traits.failingStarts > 0) {
      this.set(vmId, { failingStarts: traits.failingStarts - 1 });
      throw new AppError("driver-failed", `Starting desktop ${vmId}: lxc-start ended with 1`);
    }
    const desktop: SimDesktop = { isAlive: true, life, agent: undefined, hasBooted: false, timers: [] };
    this.#desktops.set(vmId, desktop);
    this.#boot(spec, desktop);
    if (traits.diesAfterMs !== undefined)
      desktop.timers.push(setTimeout(() => this.die(vmId), traits.diesAfterMs));
  }

  #boot({ vmId, channelFolder }: DesktopSpec, desktop: SimDesktop): void {
    const { bootMs } = this.traits(vmId);
    if (bootMs === undefined) return;
    const agent = new SimAgent(`${channelFolder}/guest.sock`, {
      onPoweroff: () => {
        if (!this.traits(vmId).ignoresPoweroff) setTimeout(() => this.die(vmId), 5);
      },
      failsSessions: () => this.traits(vmId).failsSessions,
    });
    desktop.agent = agent;
    const attach = () => {
      desktop.hasBooted = true;
      void agent.attach();
    };
    desktop.timers.push(setTimeout(attach, bootMs));
  }

  async halt(vmId: VmId): Promise<void> {
    const { ignoresHalt, haltMs } = this.traits(vmId);
    if (ignoresHalt) return;
    if (haltMs === 0) this.die(vmId);
    else this.#desktops.get(vmId)?.timers.push(setTimeout(() => this.die(vmId), haltMs));
  }

  async terminate(vmId: VmId): Promise<void> {
    if (!this.traits(vmId).ignoresTerminate) this.die(vmId);
  }

  async kill(vmId: VmId): Promise<void> {
    this.die(vmId);
  }

  async cleanUp(vmId: VmId): Promise<void> {
    if (this.isAlive(vmId)) throw new AppError("conflict", `Cleaning up after desktop ${vmId}: it is alive`);
    this.#desktops.delete(vmId);
  }

  watch(onChange: (vmId: VmId) => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }
}

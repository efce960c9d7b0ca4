/**
 * Desktops that exist only in this process: they start, boot, go down or refuse to, die and leave things behind,
 * by timers that are given. For tests and simulations of the node, with a hand-driven clock or the system's;
 * it passes the drivers' contract with both. What speaks inside a desktop is the caller's.
 */

import type { VmId } from "../../domain/ids.ts";
import type { Timers } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { DesktopObservation, DesktopSpec, Hypervisor } from "../driver.ts";

export type SimTraits = {
  /** How long the driver takes to start it. */
  readonly startMs: number;
  /** How long it takes to go down at the halt signal; some of its processes may not listen. */
  readonly haltMs: number;
  /** Milliseconds from start to the agent's hello; undefined: the agent never comes. */
  readonly bootMs: number | undefined;
  /** How many starts fail before one works. */
  readonly failingStarts: number;
  /** How many clean-ups fail before one works. */
  readonly failingCleanUps: number;
  /** Dies by itself so long after its start. */
  readonly diesAfterMs: number | undefined;
  readonly ignoresHalt: boolean;
  readonly ignoresTerminate: boolean;
  /** Hangs in the kernel: not even KILL ends it. */
  readonly ignoresKill: boolean;
  readonly ignoresPoweroff: boolean;
  readonly failsSessions: boolean;
};

export const SIM_TRAITS: SimTraits = {
  startMs: 2,
  haltMs: 0,
  bootMs: 5,
  failingStarts: 0,
  failingCleanUps: 0,
  diesAfterMs: undefined,
  ignoresHalt: false,
  ignoresTerminate: false,
  ignoresKill: false,
  ignoresPoweroff: false,
  failsSessions: false,
};

/** What runs inside: comes when the desktop has booted, goes with it. */
export interface SimGuest {
  attach(): void;
  leave(): void;
}

export type SimGuestBehaviour = {
  /** The guest was told to power off, and would. */
  readonly onPoweroff: () => void;
  readonly failsSessions: () => boolean;
};

export type SimOptions<Guest extends SimGuest> = {
  readonly timers: Timers;
  readonly makeGuest: (spec: DesktopSpec, behaviour: SimGuestBehaviour) => Guest;
  /** A desktop without its disk can't be started. */
  readonly hasDisk: (path: string) => boolean;
  /** How desktops behave of which nothing else was said. */
  readonly traits?: Partial<SimTraits>;
};

type SimDesktop<Guest> = {
  isAlive: boolean;
  /** Counts starts: a desktop that was never restarted still has its first. */
  life: number;
  guest: Guest | undefined;
  hasBooted: boolean;
  callOffs: (() => void)[];
};

/** What is there whether or not a driver looks at it. */
export class SimHost<Guest extends SimGuest> {
  readonly desktops = new Map<VmId, SimDesktop<Guest>>();
  readonly traits = new Map<VmId, SimTraits>();
  readonly watchers = new Set<(vmId: VmId) => void>();
}

const POWEROFF_MS = 5;

export class SimHypervisor<Guest extends SimGuest> implements Hypervisor {
  readonly #host: SimHost<Guest>;
  readonly #options: SimOptions<Guest>;
  /** The most that were between start and agent at one time. */
  mostStarting = 0;
  #starting = 0;
  #starts = 0;

  /** Several over one host are as the drivers of a node before and after its restart. */
  constructor(options: SimOptions<Guest>, host: SimHost<Guest> = new SimHost()) {
    this.#options = options;
    this.#host = host;
  }

  set(vmId: VmId, traits: Partial<SimTraits>): void {
    this.#host.traits.set(vmId, { ...this.traits(vmId), ...traits });
  }

  traits(vmId: VmId): SimTraits {
    return this.#host.traits.get(vmId) ?? { ...SIM_TRAITS, ...this.#options.traits };
  }

  get starts(): number {
    return this.#starts;
  }

  life(vmId: VmId): number {
    return this.#host.desktops.get(vmId)?.life ?? 0;
  }

  agent(vmId: VmId): Guest | undefined {
    return this.#host.desktops.get(vmId)?.guest;
  }

  /** Its agent was started in its present life. */
  hasBooted(vmId: VmId): boolean {
    return this.#host.desktops.get(vmId)?.hasBooted ?? false;
  }

  isAlive(vmId: VmId): boolean {
    return this.#host.desktops.get(vmId)?.isAlive ?? false;
  }

  /** As when its init is killed. */
  die(vmId: VmId): void {
    const desktop = this.#host.desktops.get(vmId);
    if (desktop === undefined || !desktop.isAlive) return;
    desktop.isAlive = false;
    for (const callOff of desktop.callOffs.splice(0)) callOff();
    desktop.guest?.leave();
    desktop.guest = undefined;
    for (const watcher of this.#host.watchers) watcher(vmId);
  }

  async observe(only?: readonly VmId[]): Promise<ReadonlyMap<VmId, DesktopObservation>> {
    const isAsked = ([vmId]: readonly [VmId, unknown]) => only === undefined || only.includes(vmId);
    return new Map(
      [...this.#host.desktops]
        .filter(isAsked)
        .map(([vmId, { isAlive }]) => [
          vmId,
          { vmId, isAlive, leftovers: isAlive ? [] : [`group of ${vmId}`] },
        ]),
    );
  }

  async start(spec: DesktopSpec, signal: AbortSignal): Promise<void> {
    const { vmId } = spec;
    if (this.isAlive(vmId)) throw new AppError("conflict", `Starting desktop ${vmId}: it already runs`);
    const life = this.life(vmId) + 1;
    this.#host.desktops.delete(vmId);
    this.#starts++;
    this.mostStarting = Math.max(this.mostStarting, ++this.#starting);
    await this.#pause(this.traits(vmId).startMs, signal);
    this.#starting--;
    signal.throwIfAborted();
    const disk = spec.kind === "container" ? spec.rootFolder : spec.systemDisk;
    if (!this.#options.hasDisk(disk))
      throw new AppError("driver-failed", `Starting desktop ${vmId}: ${disk} is missing`);
    const traits = this.traits(vmId);
    if (traits.failingStarts > 0) {
      this.set(vmId, { failingStarts: traits.failingStarts - 1 });
      throw new AppError("driver-failed", `Starting desktop ${vmId}: lxc-start ended with 1`);
    }
    this.#boot(spec, life);
  }

  #boot(spec: DesktopSpec, life: number): void {
    const { vmId } = spec;
    const { bootMs, diesAfterMs } = this.traits(vmId);
    const desktop: SimDesktop<Guest> = {
      ...{ isAlive: true, life, guest: undefined, hasBooted: false, callOffs: [] },
    };
    this.#host.desktops.set(vmId, desktop);
    if (diesAfterMs !== undefined) this.#later(desktop, diesAfterMs, () => this.die(vmId));
    if (bootMs === undefined) return;
    const guest = this.#options.makeGuest(spec, {
      onPoweroff: () => {
        const { ignoresPoweroff, haltMs } = this.traits(vmId);
        if (ignoresPoweroff) return;
        this.#later(desktop, Math.max(POWEROFF_MS, haltMs), () => this.die(vmId));
      },
      failsSessions: () => this.traits(vmId).failsSessions,
    });
    desktop.guest = guest;
    this.#later(desktop, bootMs, () => {
      desktop.hasBooted = true;
      guest.attach();
    });
  }

  #later(desktop: SimDesktop<Guest>, ms: number, call: () => void): void {
    desktop.callOffs.push(this.#options.timers.after(ms, call));
  }

  /** Ends early when the signal aborts; the caller looks at the signal. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const callOff = this.#options.timers.after(ms, finish);
      signal.addEventListener("abort", finish, { once: true });
      function finish() {
        callOff();
        signal.removeEventListener("abort", finish);
        resolve();
      }
    });
  }

  /** Processors are not simulated. */
  async settle(): Promise<void> {}

  async halt(vmId: VmId): Promise<void> {
    const { ignoresHalt, haltMs } = this.traits(vmId);
    const desktop = this.#host.desktops.get(vmId);
    if (ignoresHalt || desktop === undefined) return;
    if (haltMs === 0) this.die(vmId);
    else this.#later(desktop, haltMs, () => this.die(vmId));
  }

  async terminate(vmId: VmId): Promise<void> {
    if (!this.traits(vmId).ignoresTerminate) this.die(vmId);
  }

  async kill(vmId: VmId): Promise<void> {
    if (!this.traits(vmId).ignoresKill) this.die(vmId);
  }

  async cleanUp(vmId: VmId): Promise<void> {
    if (this.isAlive(vmId)) throw new AppError("conflict", `Cleaning up after desktop ${vmId}: it is alive`);
    const { failingCleanUps } = this.traits(vmId);
    if (failingCleanUps > 0 && this.#host.desktops.has(vmId)) {
      this.set(vmId, { failingCleanUps: failingCleanUps - 1 });
      throw new AppError("driver-failed", `Cleaning up after desktop ${vmId}: its control group is busy`);
    }
    this.#host.desktops.delete(vmId);
  }

  watch(onChange: (vmId: VmId) => void): () => void {
    this.#host.watchers.add(onChange);
    return () => this.#host.watchers.delete(onChange);
  }
}

/**
 * Keeps containers' ways to their box wide (`widenWay`), beside the passes: what is missing takes a program, which neither a
 * start nor an end shall wait for. Asks again and again, since a node may end halfway and root inside may take a route
 * away; one desktop at a time, for they may all need it after an upgrade. Where it fails the desktop is none the worse: its
 * pictures come in pieces, which the log tells once a life.
 */

import { backoffMs } from "../lib/backoff.ts";
import type { Timers } from "../lib/clock.ts";
import type { LoopDeps } from "./deps.ts";
import type { VmMemory } from "./memory.ts";

export type WayWatchDeps = Pick<LoopDeps, "clock" | "log"> & {
  readonly hypervisor: Pick<LoopDeps["hypervisor"], "widenWay">;
  readonly timers: Timers;
};

/** Its start is over by then, and those of others that came with it. */
const FIRST_AFTER_MS = 5_000;
/** Somewhat less than from one full pass to the next. */
const WELL_EVERY_MS = 50_000;
/** What has to be done each time anew, or never works. */
const BACKOFF = { firstMs: WELL_EVERY_MS, mostMs: 3_600_000 };

/** Due when that is answered. */
const ASKED = Number.POSITIVE_INFINITY;

type Way = NonNullable<VmMemory["way"]>;

export class WayWatch {
  readonly #deps: WayWatchDeps;
  #last: Promise<void> = Promise.resolve();

  constructor(deps: WayWatchDeps) {
    this.#deps = deps;
  }

  /** To be called at each look at a desktop that lives. */
  look(memory: VmMemory): void {
    const { hypervisor, clock, timers } = this.#deps;
    const { state, stateAtMs } = memory.report;
    if (hypervisor.widenWay === undefined || state !== "running") return;
    const nowMs = clock.monotonicMs();
    if (memory.way === undefined) {
      const way = { dueAtMs: stateAtMs + FIRST_AFTER_MS, tries: 0, isTroubleTold: false };
      memory.way = way;
      if (way.dueAtMs > nowMs) timers.after(way.dueAtMs - nowMs, () => this.#ask(memory, way));
    }
    if (memory.way.dueAtMs <= nowMs) this.#ask(memory, memory.way);
  }

  #ask(memory: VmMemory, way: Way): void {
    // Its look has come before its timer, or the other way round.
    if (way.dueAtMs === ASKED) return;
    way.dueAtMs = ASKED;
    this.#last = this.#last.then(() => this.#widen(memory, way));
  }

  /** Never rejects. */
  async #widen(memory: VmMemory, way: Way): Promise<void> {
    const { hypervisor, clock, log } = this.#deps;
    const { vmId } = memory.desktop;
    const isOver = () => memory.way !== way || memory.report.state !== "running";
    try {
      const isWidened = !isOver() && (await hypervisor.widenWay?.(vmId)) === true;
      way.tries = isWidened ? way.tries + 1 : 0;
      if (isWidened) log.debug("way-widened", { vmId, tries: way.tries });
    } catch (error) {
      way.tries++;
      if (!isOver()) this.#tell(way, { vmId, error, tries: way.tries });
    }
    way.dueAtMs = clock.monotonicMs() + Math.max(WELL_EVERY_MS, backoffMs(way.tries, BACKOFF));
  }

  /** Loud once: what root inside keeps doing shall not fill the box's log. */
  #tell(way: Way, fields: Readonly<Record<string, unknown>>): void {
    const { log } = this.#deps;
    if (way.isTroubleTold) log.debug("way-not-widened", fields);
    else log.warn("way-not-widened", fields);
    way.isTroubleTold = true;
  }
}

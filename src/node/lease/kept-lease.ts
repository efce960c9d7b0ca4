/**
 * The right to run of a box with a keeper, as its node process sees it: what the keeper tells, several times a
 * second. When the keeper falls silent and no new one speaks in its place, the node process freezes the desktops
 * itself before the lapse; only a keeper lets them go on.
 */

import { lapseAtMs } from "../../domain/node/decide-lease.ts";
import type { LeaseTimes } from "../../domain/node/lease-times.ts";
import { AppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import type { Fence } from "../keeper/fence.ts";
import { type KeeperFile, type KeeperOrigin, readKeeperFile } from "./keeper-file.ts";
import type { LeaseState, NodeLease } from "./node-lease.ts";

export type KeptLeaseDeps = {
  readonly filePath: string;
  readonly origin: KeeperOrigin;
  readonly bootMs: () => number;
  readonly fence: Pick<Fence, "freezeProcesses" | "freezeDisks">;
  readonly times: LeaseTimes;
  /** Another box has taken over: this process's steps belong to an epoch that is over. */
  readonly onLost: () => void;
  readonly log: Log;
};

const LOOK_EVERY_MS = 250;
/** A keeper tells something four times a second. */
const SILENT_MS = 2_000;
const START_MS = 60_000;

export class KeptLease implements NodeLease {
  readonly #deps: KeptLeaseDeps;
  #file: KeeperFile | undefined;
  #hasFrozen = false;
  /** Under which this process works; 0 before its first. */
  #epoch = 0;
  #isLost = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(deps: KeptLeaseDeps) {
    this.#deps = deps;
  }

  get state(): LeaseState {
    const { bootMs, times } = this.#deps;
    const file = this.#file;
    const nowMs = bootMs();
    if (file === undefined)
      return {
        ...{ epoch: 0, isHeld: false, phase: "unknown", fences: false, rowAgeMs: null, counterAgeMs: null },
        trouble: "the keeper has not spoken yet",
      };
    const isNear = file.fences && lapseAtMs(file.renewals, times) - nowMs <= times.freezeBeforeMs;
    return {
      epoch: file.epoch,
      isHeld: file.phase === "held" && file.epoch > 0 && !isNear && !this.#isLost,
      phase: file.phase,
      fences: file.fences,
      rowAgeMs: ageOf(file.renewals.rowAtMs, nowMs),
      counterAgeMs: ageOf(file.renewals.counterAtMs, nowMs),
      trouble: nowMs - file.beatMs > SILENT_MS ? "the keeper is silent" : file.trouble,
    };
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    const isHeld = () => {
      this.#look();
      return this.state.isHeld && this.#isFresh();
    };
    if (await waitFor(isHeld, { timeoutMs: START_MS, everyMs: 50 })) {
      this.#epoch = this.state.epoch;
      return;
    }
    this.stop();
    throw new AppError(
      "unavailable",
      `starting the node: its keeper does not hold the right to run desktops (${this.state.trouble || "no reason known"}); see keeper.log in the logs folder`,
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { filePath, origin, bootMs, fence, times, onLost, log } = this.#deps;
    this.#file = readKeeperFile(filePath, origin) ?? this.#file;
    const file = this.#file;
    if (file === undefined) return;
    const isOver = this.#epoch !== 0 && (file.phase === "lost" || file.epoch !== this.#epoch);
    if (isOver && !this.#isLost) {
      this.#isLost = true;
      onLost();
    }
    // A living keeper that gives up an epoch is about to unmount all of it: nothing may be frozen in between.
    const isGivenUp = file.phase === "lost" && this.#isFresh();
    const isNear = lapseAtMs(file.renewals, times) - bootMs() <= times.nodeFreezeBeforeMs;
    const isDue = file.fences && isNear && !isGivenUp;
    if (!isDue) this.#hasFrozen = false;
    else if (!this.#hasFrozen) {
      this.#hasFrozen = true;
      log.warn("node-fences", { reason: "the keeper renewed nothing, and the lapse is near" });
      fence.freezeProcesses();
      fence.freezeDisks().catch((error) => log.error("disks-not-frozen", { error }));
    }
  }

  #isFresh(): boolean {
    return this.#file !== undefined && this.#deps.bootMs() - this.#file.beatMs < SILENT_MS;
  }
}

function ageOf(atMs: number, nowMs: number): number | null {
  return atMs === 0 ? null : nowMs - atMs;
}

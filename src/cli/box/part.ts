/**
 * One part of a box: a mode in a process and control group of its own, found again after our own end,
 * started again when it dies, and ended by the signal that it takes for a full stop.
 */

import { systemClock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { isProcessRunning, removeCgroup, signalProcess } from "../../lib/process.ts";
import { waitFor } from "../../lib/wait.ts";
import type { WorkerEntry } from "../../node/process-file.ts";
import { Supervisor, type WorkerSpec } from "../../node/supervise.ts";

export type PartOptions = {
  readonly spec: WorkerSpec;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  readonly logsFolder: string;
  readonly cgroupFolder: string;
  readonly log: Log;
  readonly onChange: () => void;
};

export class Part {
  readonly #options: PartOptions;
  readonly #supervisor: Supervisor;

  constructor(options: PartOptions) {
    const { spec, logsFolder, cgroupFolder, log, onChange } = options;
    this.#options = options;
    this.#supervisor = new Supervisor({
      workers: [spec],
      logsFolder,
      cgroupFolder,
      clock: systemClock,
      log,
      onChange,
    });
  }

  get name(): string {
    return this.#options.spec.name;
  }

  start(found: readonly WorkerEntry[]): void {
    this.#supervisor.start(found);
  }

  entry(): WorkerEntry | undefined {
    return this.#supervisor.entries()[0];
  }

  /** Restarts since its first start; a part that keeps dying while it starts has failed. */
  restarts(): number {
    return this.#supervisor.facts()[0]?.restarts ?? 0;
  }

  /** True when it ended by itself in time; what is left of it is killed. */
  async stop(): Promise<boolean> {
    const entry = this.entry();
    this.#supervisor.handOver();
    if (entry === undefined) return true;
    signalProcess(entry, this.#options.stopSignal);
    const isGone = () => !isProcessRunning(entry);
    const hasEnded =
      (await waitFor(isGone, { timeoutMs: this.#options.stopTimeoutMs, everyMs: 50 })) === true;
    if (!hasEnded) signalProcess(entry, "SIGKILL");
    await removeCgroup(`${this.#options.cgroupFolder}/${this.name}`, 5_000);
    return hasEnded;
  }
}

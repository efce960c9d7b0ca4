/**
 * Worker processes that have been, or are to be, replaced by newer ones: they go on as long as they have something
 * to do. First they serve beside their successors; once all of those listen they are told to take nobody new.
 */

import type { Log } from "../lib/log.ts";
import { endProcess, isProcessRunning, signalProcess } from "../lib/process.ts";
import type { WorkerEntry } from "./process-file.ts";

export type Elder = WorkerEntry & {
  /** It was told. */
  readonly isReplaced: boolean;
};

/** An earlier version than the first that knows the other signal would die of it. */
const signalFor = ({ fingerprint }: WorkerEntry) => (fingerprint === undefined ? "SIGTERM" : "SIGUSR2");

export class Elders {
  readonly #log: Log;
  /** Called with the pid of one that has ended. */
  readonly #onEnded: (pid: number) => void;
  #elders: readonly Elder[] = [];

  constructor(log: Log, onEnded: (pid: number) => void) {
    this.#log = log;
    this.#onEnded = onEnded;
  }

  list(): readonly Elder[] {
    return this.#elders;
  }

  add(entry: WorkerEntry): void {
    const elder = { ...entry, isReplaced: entry.isReplaced === true };
    this.#elders = [...this.#elders, elder];
    const { name: worker, pid } = entry;
    this.#log.info(elder.isReplaced ? "worker-draining-found" : "worker-to-be-replaced", { worker, pid });
  }

  /** True when something changed. */
  look(areSuccessorsReady: () => boolean): boolean {
    const living = this.#elders.filter(isProcessRunning);
    const gone = this.#elders.filter((elder) => !living.includes(elder));
    for (const { name: worker, pid } of gone) {
      this.#log.info("worker-drained", { worker, pid });
      this.#onEnded(pid);
    }
    const isHandingOver = living.some(({ isReplaced }) => !isReplaced) && areSuccessorsReady();
    this.#elders = isHandingOver ? living.map((elder) => this.#replace(elder)) : living;
    return gone.length > 0 || isHandingOver;
  }

  #replace(elder: Elder): Elder {
    if (elder.isReplaced) return elder;
    this.#log.info("worker-replaced", { worker: elder.name, pid: elder.pid });
    signalProcess(elder, signalFor(elder));
    return { ...elder, isReplaced: true };
  }

  async end(graceMs: number): Promise<void> {
    await Promise.all(
      this.#elders.map(async (elder) => {
        signalProcess(elder, "SIGINT");
        await endProcess(elder, graceMs);
        this.#onEnded(elder.pid);
      }),
    );
    this.#elders = [];
  }
}

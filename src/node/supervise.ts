/**
 * Keeps the box's workers (auth, brokers) running: starts them as their own accounts in their own control
 * groups, finds them again after a restart of the node, and starts them anew, backed off, when they end.
 * Keeps their logs within bounds. Knows nothing of their work. Handing over leaves them alone; only shutting the box down ends them.
 */

import type { WorkerFacts } from "../domain/node/report.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { droppedTo } from "../lib/dropped-to.ts";
import type { Log } from "../lib/log.ts";
import {
  endProcess,
  isProcessRunning,
  type ProcessIdentity,
  removeCgroup,
  signalProcess,
  spawnDetached,
} from "../lib/process.ts";
import { boundLog } from "./bound-log.ts";
import type { WorkerEntry } from "./process-file.ts";

export type WorkerSpec = {
  /** Such as `auth` or `broker-1`; names its log and its control group. */
  readonly name: string;
  readonly command: readonly string[];
  /** Account to run as; undefined stays who we are. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** A start that failed leaves it running: desktops of an earlier start may depend on it. */
  readonly outlivesFailedStart?: boolean;
  /** It carries nothing that a restart would end: found with another command line, it is started anew with this one. */
  readonly followsCommand?: boolean;
};

export type SupervisorOptions = {
  readonly workers: readonly WorkerSpec[];
  readonly logsFolder: string;
  /** Parent folder of the workers' control groups. */
  readonly cgroupFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** A worker has started or ended. */
  readonly onChange: () => void;
};

type Worker = {
  readonly spec: WorkerSpec;
  identity: ProcessIdentity | undefined;
  /** Whether an earlier node process started it. */
  isFound: boolean;
  startedAtMs: number;
  restarts: number;
  /** What it runs with; undefined when an older version of the node started it and didn't say. */
  command: readonly string[] | undefined;
  /** Failures in a row, for the pause before the next try. */
  tries: number;
  nextTryAtMs: number;
};

const LOOK_EVERY_MS = 1_000;
const BACKOFF = { firstMs: 500, mostMs: 30_000 };
/** A worker that lived this long failed for a new reason. */
const STABLE_MS = 60_000;
const END_GRACE_MS = 10_000;
/** Strangers can make a log grow by a line a request. */
const MOST_LOG_BYTES = 32 * 2 ** 20;
const BOUND_LOGS_EVERY_MS = 10_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers: readonly Worker[];
  #timer: ReturnType<typeof setInterval> | undefined;
  #logTimer: ReturnType<typeof setInterval> | undefined;
  #isEnding = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#workers = options.workers.map((spec) => ({
      spec,
      identity: undefined,
      isFound: false,
      startedAtMs: 0,
      restarts: 0,
      command: undefined,
      tries: 0,
      nextTryAtMs: 0,
    }));
  }

  /** Takes up the workers of `found` that still run, and starts the others. */
  start(found: readonly WorkerEntry[]): void {
    for (const worker of this.#workers) {
      const entry = found.find((one) => one.name === worker.spec.name);
      if (entry === undefined || !isProcessRunning(entry)) continue;
      worker.identity = { pid: entry.pid, startTicks: entry.startTicks };
      worker.isFound = true;
      worker.startedAtMs = entry.startedAtMs;
      worker.restarts = entry.restarts;
      worker.command = entry.command;
      this.#options.log.info("worker-found", { worker: entry.name, pid: entry.pid });
      if (worker.spec.followsCommand !== true || isSame(worker.command, worker.spec.command)) continue;
      this.#options.log.info("worker-command-changed", { worker: entry.name, pid: entry.pid });
      // A look finds it ended and starts another.
      signalProcess(entry, "SIGTERM");
    }
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#logTimer = setInterval(() => this.#boundLogs(), BOUND_LOGS_EVERY_MS);
  }

  /** Stops looking after them; they go on. */
  handOver(): void {
    this.#isEnding = true;
    clearInterval(this.#timer);
    clearInterval(this.#logTimer);
  }

  async end(): Promise<void> {
    this.handOver();
    await Promise.all(this.#workers.map((worker) => this.#end(worker)));
  }

  /** Ends those that this process started; those that were found go on, since they may carry sessions. */
  async endStarted(): Promise<void> {
    this.handOver();
    await Promise.all(this.#workers.filter(isOfFailedStart).map((worker) => this.#end(worker)));
  }

  entries(): readonly WorkerEntry[] {
    return this.#workers.flatMap(({ spec, identity, startedAtMs, restarts, command }) =>
      identity === undefined
        ? []
        : [{ name: spec.name, ...identity, startedAtMs, restarts, ...(command && { command }) }],
    );
  }

  facts(): readonly Omit<WorkerFacts, "connections">[] {
    return this.#workers.map(({ spec, identity, startedAtMs, restarts }) => ({
      name: spec.name,
      pid: identity?.pid ?? null,
      state: identity !== undefined ? "running" : this.#isEnding ? "stopped" : "restarting",
      startedAtMs: identity === undefined ? null : startedAtMs,
      restarts,
    }));
  }

  async #end(worker: Worker): Promise<void> {
    if (worker.identity !== undefined) await endProcess(worker.identity, END_GRACE_MS);
    worker.identity = undefined;
    await removeCgroup(this.#cgroupOf(worker.spec), 2_000);
  }

  #look(): void {
    let hasChanged = false;
    for (const worker of this.#workers) hasChanged = this.#lookAfter(worker) || hasChanged;
    if (hasChanged) this.#options.onChange();
  }

  #lookAfter(worker: Worker): boolean {
    if (this.#isEnding) return false;
    const { clock } = this.#options;
    if (worker.identity !== undefined) {
      if (isProcessRunning(worker.identity)) return false;
      this.#noteEnd(worker);
      return true;
    }
    if (clock.monotonicMs() < worker.nextTryAtMs) return false;
    this.#spawn(worker);
    return true;
  }

  #noteEnd(worker: Worker): void {
    const { clock, log } = this.#options;
    const livedMs = clock.nowMs() - worker.startedAtMs;
    log.warn("worker-ended", { worker: worker.spec.name, pid: worker.identity?.pid, livedMs });
    worker.identity = undefined;
    worker.isFound = false;
    worker.tries = livedMs >= STABLE_MS ? 0 : worker.tries + 1;
    worker.restarts++;
    worker.nextTryAtMs = clock.monotonicMs() + backoffMs(worker.tries, BACKOFF);
    // The first one comes back at once: somebody may be waiting for it.
    if (worker.tries <= 1) this.#spawn(worker);
  }

  #spawn(worker: Worker): void {
    const { clock, log } = this.#options;
    const { spec } = worker;
    worker.startedAtMs = clock.nowMs();
    worker.command = spec.command;
    try {
      worker.identity = spawnDetached({
        command: spec.account === undefined ? spec.command : [...droppedTo(spec.account), ...spec.command],
        env: spec.env,
        logFile: this.#logOf(spec),
        cgroupFolder: this.#cgroupOf(spec),
        // Seen at once while it is our child; one that was found again is looked at every second.
        onExit: () => this.#look(),
      });
      log.info("worker-started", { worker: spec.name, pid: worker.identity.pid });
    } catch (error) {
      worker.tries++;
      worker.nextTryAtMs = clock.monotonicMs() + backoffMs(worker.tries, BACKOFF);
      log.error("worker-not-started", { worker: spec.name, error });
    }
  }

  #boundLogs(): void {
    for (const { spec } of this.#workers)
      try {
        if (boundLog(this.#logOf(spec), MOST_LOG_BYTES))
          this.#options.log.info("worker-log-began-anew", { worker: spec.name });
      } catch (error) {
        this.#options.log.warn("worker-log-not-put-aside", { worker: spec.name, error });
      }
  }

  #logOf(spec: WorkerSpec): string {
    return `${this.#options.logsFolder}/${spec.name}.log`;
  }

  #cgroupOf(spec: WorkerSpec): string {
    return `${this.#options.cgroupFolder}/${spec.name}`;
  }
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && one.every((word, index) => word === other[index]);
}

function isOfFailedStart({ isFound, spec }: Worker): boolean {
  return !isFound && spec.outlivesFailedStart !== true;
}

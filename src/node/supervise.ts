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
import { waitFor } from "../lib/wait.ts";
import type { BrokerState } from "../wire/broker/state-file.ts";
import { boundLog } from "./bound-log.ts";
import { type Elder, Elders } from "./elders.ts";
import { goFirst, type Precedence } from "./go-first.ts";
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
  /** Of its executable and settings. Found with another one it is started anew, or replaced when it `drains`. */
  readonly fingerprint?: string;
  /** It carries what a restart would end: its successor comes first, and then it is told to take nobody new. */
  readonly drains?: boolean;
  /** People's sessions or the box's lease depend on how soon it runs. */
  readonly goesFirst?: Precedence;
};

/** What workers that drain say of themselves. */
export type WorkerStates = {
  readonly read: (pid: number) => BrokerState | undefined;
  readonly drop: (pid: number) => void;
};

export type SupervisorOptions = {
  readonly workers: readonly WorkerSpec[];
  readonly logsFolder: string;
  /** Parent folder of the workers' control groups. */
  readonly cgroupFolder: string;
  readonly states?: WorkerStates;
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
  fingerprint: string | undefined;
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
  readonly #elders: Elders;
  #timer: ReturnType<typeof setInterval> | undefined;
  #logTimer: ReturnType<typeof setInterval> | undefined;
  #isEnding = false;
  #mayReplace = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#elders = new Elders(options.log, (pid) => options.states?.drop(pid));
    this.#workers = options.workers.map((spec) => ({
      spec,
      identity: undefined,
      isFound: false,
      startedAtMs: 0,
      restarts: 0,
      command: undefined,
      fingerprint: undefined,
      tries: 0,
      nextTryAtMs: 0,
    }));
  }

  /** Takes up the workers of `found` that still run, and starts the others. */
  start(found: readonly WorkerEntry[]): void {
    const living = found.filter(isProcessRunning);
    const taken = new Set<WorkerEntry>();
    for (const worker of this.#workers) {
      const entry = chooseEntry(worker.spec, living);
      if (entry === undefined) continue;
      taken.add(entry);
      worker.identity = { pid: entry.pid, startTicks: entry.startTicks };
      worker.isFound = true;
      worker.startedAtMs = entry.startedAtMs;
      worker.restarts = entry.restarts;
      worker.command = entry.command;
      worker.fingerprint = entry.fingerprint;
      this.#options.log.info("worker-found", { worker: entry.name, pid: entry.pid });
      this.#putFirst(worker);
      if (isUpToDate(worker)) continue;
      this.#options.log.info("worker-command-changed", { worker: entry.name, pid: entry.pid });
      // A look finds it ended and starts another.
      signalProcess(entry, "SIGTERM");
    }
    for (const entry of living) if (!taken.has(entry) && this.#isElder(entry)) this.#elders.add(entry);
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#logTimer = setInterval(() => this.#boundLogs(), BOUND_LOGS_EVERY_MS);
  }

  /** From now on found ones may give way to their successors: a start that fails must leave a box that serves. */
  replaceElders(): void {
    this.#mayReplace = true;
  }

  /** Stops looking after them; they go on. */
  handOver(): void {
    this.#isEnding = true;
    clearInterval(this.#timer);
    clearInterval(this.#logTimer);
  }

  async end(): Promise<void> {
    this.handOver();
    await this.#elders.end(END_GRACE_MS);
    await Promise.all(this.#workers.map((worker) => this.#end(worker)));
  }

  /**
   * Has those that drain send their clients elsewhere, and returns when they take nobody new, or after
   * `timeoutMs`. Nothing is started again from here on.
   */
  async leave(timeoutMs: number): Promise<void> {
    const { states } = this.#options;
    const leaving = this.#workers.filter(({ spec, identity }) => spec.drains && identity !== undefined);
    if (states === undefined || leaving.length === 0) return;
    this.handOver();
    for (const { identity } of leaving) if (identity !== undefined) signalProcess(identity, "SIGTERM");
    const hasLeft = ({ identity }: Worker) =>
      identity === undefined ||
      !isProcessRunning(identity) ||
      states.read(identity.pid)?.phase === "draining";
    await waitFor(() => leaving.every(hasLeft), { timeoutMs, everyMs: 50 });
  }

  /** Ends those that this process started; those that were found go on, since they may carry sessions. */
  async endStarted(): Promise<void> {
    this.handOver();
    await Promise.all(this.#workers.filter(isOfFailedStart).map((worker) => this.#end(worker)));
  }

  entries(): readonly WorkerEntry[] {
    const current = this.#workers.flatMap(
      ({ spec, identity, startedAtMs, restarts, command, fingerprint }) =>
        identity === undefined
          ? []
          : [
              {
                ...{ name: spec.name, ...identity, startedAtMs, restarts },
                ...(command && { command }),
                ...(fingerprint !== undefined && { fingerprint }),
                ...(spec.drains && { drains: true }),
              },
            ],
    );
    return [...current, ...this.#elders.list()];
  }

  facts(): readonly Omit<WorkerFacts, "connections">[] {
    const current = this.#workers.map(({ spec, identity, startedAtMs, restarts }) => ({
      name: spec.name,
      pid: identity?.pid ?? null,
      state: identity !== undefined ? "running" : this.#isEnding ? "stopped" : "restarting",
      startedAtMs: identity === undefined ? null : startedAtMs,
      restarts,
      ...this.#said(identity?.pid),
    })) satisfies Omit<WorkerFacts, "connections">[];
    return [...current, ...this.#elders.list().map((elder) => this.#factsOf(elder))];
  }

  #factsOf({ name, pid, startedAtMs, restarts, isReplaced }: Elder): Omit<WorkerFacts, "connections"> {
    const state = isReplaced ? "draining" : "running";
    return { name, pid, state, startedAtMs, restarts, isElder: true, ...this.#said(pid) };
  }

  #said(pid: number | undefined): Pick<WorkerFacts, "deadlineAtMs" | "turnedAway" | "trouble"> {
    const state = pid === undefined ? undefined : this.#options.states?.read(pid);
    if (state === undefined) return {};
    const { deadlineAtMs, turnedAway = 0, tlsFault } = state;
    return {
      ...(turnedAway > 0 && { turnedAway }),
      ...(deadlineAtMs !== null && { deadlineAtMs }),
      ...(tlsFault !== null && { trouble: tlsFault }),
    };
  }

  #isElder({ name, drains }: WorkerEntry): boolean {
    return drains === true || this.#workers.some(({ spec }) => spec.name === name && spec.drains === true);
  }

  #areAllReady(): boolean {
    if (!this.#mayReplace) return false;
    const { states } = this.#options;
    const drained = this.#workers.filter(({ spec }) => spec.drains);
    return drained.every(
      ({ identity }) => identity !== undefined && states?.read(identity.pid)?.phase === "listening",
    );
  }

  async #end(worker: Worker): Promise<void> {
    const { identity, spec } = worker;
    if (identity !== undefined) {
      // It doesn't wait for what it carries.
      if (spec.drains) signalProcess(identity, "SIGINT");
      await endProcess(identity, END_GRACE_MS);
      this.#options.states?.drop(identity.pid);
    }
    worker.identity = undefined;
    await removeCgroup(this.#cgroupOf(worker.spec), 2_000);
  }

  #look(): void {
    let hasChanged = false;
    for (const worker of this.#workers) hasChanged = this.#lookAfter(worker) || hasChanged;
    if (!this.#isEnding) hasChanged = this.#elders.look(() => this.#areAllReady()) || hasChanged;
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
    if (worker.identity !== undefined) this.#options.states?.drop(worker.identity.pid);
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
    worker.fingerprint = spec.fingerprint;
    try {
      worker.identity = spawnDetached({
        command: spec.account === undefined ? spec.command : [...droppedTo(spec.account), ...spec.command],
        env: spec.env,
        logFile: this.#logOf(spec),
        cgroupFolder: this.#cgroupOf(spec),
        // Seen at once while it is our child; one that was found again is looked at every second.
        onExit: () => this.#look(),
      });
      // Whatever lies there is of an earlier process with that number.
      this.#options.states?.drop(worker.identity.pid);
      log.info("worker-started", { worker: spec.name, pid: worker.identity.pid });
      this.#putFirst(worker);
    } catch (error) {
      worker.tries++;
      worker.nextTryAtMs = clock.monotonicMs() + backoffMs(worker.tries, BACKOFF);
      log.error("worker-not-started", { worker: spec.name, error });
    }
  }

  /** It serves without, too. */
  #putFirst({ spec, identity }: Worker): void {
    const { goesFirst } = spec;
    if (goesFirst === undefined || identity === undefined) return;
    try {
      goFirst({ pid: identity.pid, cgroupFolder: this.#cgroupOf(spec), goesFirst });
    } catch (error) {
      this.#options.log.warn("worker-not-put-first", { worker: spec.name, error });
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

/** Of several with its name, the one that is as it should be; one that isn't, and drains, is an elder. */
function chooseEntry(spec: WorkerSpec, living: readonly WorkerEntry[]): WorkerEntry | undefined {
  const named = living.filter(({ name, isReplaced }) => name === spec.name && isReplaced !== true);
  if (spec.fingerprint === undefined) return named[0];
  return (
    named.find(({ fingerprint }) => fingerprint === spec.fingerprint) ?? (spec.drains ? undefined : named[0])
  );
}

function isUpToDate({ spec, command, fingerprint }: Worker): boolean {
  const isAsSpecified = spec.fingerprint === undefined || fingerprint === spec.fingerprint;
  return isAsSpecified && (spec.followsCommand !== true || isSame(command, spec.command));
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && one.every((word, index) => word === other[index]);
}

function isOfFailedStart({ isFound, spec }: Worker): boolean {
  return !isFound && spec.outlivesFailedStart !== true;
}

/**
 * The processes of the person's X session and the state they are in: starts, finds again, watches, signals.
 * Decides nothing; `guest-session.ts` does. The state follows nxagent's log (`state.ts`), never its port,
 * because a probe of that port ends a starting session.
 */

import { readFileSync, statSync, truncateSync } from "node:fs";
import type { XState } from "../../domain/session/x-state.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { isListening } from "../display/socket-place.ts";
import type { GuestPlaces } from "../places.ts";
import type { Launched, LaunchInput } from "./launch.ts";
import { LogFollower } from "./log-follower.ts";
import { describeLogTail, parseLogLine, parseStateFile } from "./log-line.ts";
import {
  isAlive,
  listProcesses,
  type ProcessInfo,
  type ProcessMark,
  readProcess,
  signalProcess,
} from "./processes.ts";
import { readRecord, removeRecord, type SessionRecord, writeRecord } from "./record.ts";
import { SESSION_BEGINS } from "./scripts.ts";
import { nextState, type SessionEvent } from "./state.ts";

/** The program that serves the session's display, and what its log says of the state. */
export type XServer = {
  /** As the kernel calls it. */
  readonly program: string;
  readonly parseLine: (line: string) => SessionEvent | undefined;
  /** Of one that needs no client: whether it has begun to serve. Looked at whenever its log grows. */
  readonly isUp?: (record: SessionRecord) => boolean;
};

export const NXAGENT: XServer = { program: "nxagent", parseLine: parseLogLine };
/** Up is suspended: nobody is at it by NX. Who comes and goes as its viewer is the display's affair. */
export const XVNC: XServer = {
  program: "Xtigervnc",
  // A program that ends at once may be over before anybody has seen the server up.
  parseLine: (line) => (line === SESSION_BEGINS ? "suspended" : undefined),
  isUp: ({ socket }) => socket !== undefined && isListening(socket),
};

export type XSessionDeps = {
  readonly places: Pick<GuestPlaces, "record" | "log" | "state">;
  /** nxagent when not given. */
  readonly server?: XServer;
  readonly log: Log;
  readonly clock: Clock;
  readonly launch: (input: LaunchInput) => Launched;
  /** Whether the NX port is open, from the kernel's table: the port itself must never be tried. */
  readonly isPortOpen: () => boolean;
  /** Called with each line of nxagent's log. */
  readonly onLine?: (line: string) => void;
  /** Called after each change of state. */
  readonly onChange: () => void;
};

/**
 * While somebody waits for a change, a look is taken at growing distances besides: notices of a burst of
 * writes get lost, and a client would wait for each.
 */
const LOOK = { firstMs: 2, mostMs: 250 };
/** nxagent drops a SIGHUP that comes while it is just done with the one before. */
const REPEAT_HANG_UP_MS = 400;
/** How long xinit may outlive its server, or the server xinit. */
const LINGER_MS = 1_000;
/** A log over this is emptied at the next wake, when the state is known anyway. */
const MOST_LOG_BYTES = 256 * 1024;

export class XSession {
  readonly #deps: XSessionDeps;
  readonly #server: XServer;
  #state: XState = "none";
  #sinceMs = 0;
  #record: SessionRecord | undefined;
  #follower: LogFollower | undefined;
  #lastWords: readonly string[] = [];
  #hasServedClient = false;
  readonly #waiting = new Set<() => void>();
  /** Processes that were told to end and will be killed if they don't. */
  readonly #ending = new Set<number>();
  /** The last SIGHUP until nxagent says something, and what its state file says if it did not hear it. */
  #hangUp: { readonly unheard: string; readonly atMs: number } | undefined;

  constructor(deps: XSessionDeps) {
    this.#deps = deps;
    this.#server = deps.server ?? NXAGENT;
  }

  get state(): XState {
    return this.#state;
  }

  get record(): SessionRecord | undefined {
    return this.#record;
  }

  /** How long the present state has lasted. */
  get stateAgeMs(): number {
    return this.#deps.clock.monotonicMs() - this.#sinceMs;
  }

  /** False until a first client came; nothing of the person's can be lost before. */
  get hasServedClient(): boolean {
    return this.#hasServedClient;
  }

  describeEnd(): string {
    return describeLogTail(this.#follower?.lastLines ?? this.#lastWords);
  }

  /** Takes over a session that an earlier agent started, if one still runs. */
  recover(): void {
    const record = readRecord(this.#deps.places.record);
    if (record === undefined || (record.program ?? NXAGENT.program) !== this.#server.program) return;
    if (!isAlive(record.leader) && !(record.nxagent && isAlive(record.nxagent))) {
      removeRecord(this.#deps.places.record);
      return;
    }
    this.#record = record;
    this.#setState("starting");
    this.#follow();
    this.observe();
    this.#deps.log.info("session-found-again", { state: this.#state, session: record.session });
  }

  /** Starts anew; the state is `starting` afterwards. The options file must be there. */
  start(input: LaunchInput, session: number): void {
    const launched = this.#deps.launch(input);
    const leader = readProcess(launched.pid);
    this.#hasServedClient = false;
    this.#apply("start-ordered");
    if (leader === undefined) {
      this.#apply("gone");
      return;
    }
    const mark = { pid: leader.pid, startTicks: leader.startTicks };
    const { login, uid } = input.account;
    const { program } = this.#server;
    const { socket, asksProof } = launched;
    this.#keep({ leader: mark, nxagent: null, session, login, uid, program, socket, asksProof });
    this.#follow();
    void launched.exited.then(() => {
      if (this.#record?.leader.pid === launched.pid) this.observe();
    });
  }

  /** Names the session that the next client belongs to. */
  assign(session: number): void {
    if (this.#record !== undefined && this.#record.session !== session) {
      this.#keep({ ...this.#record, session });
      this.#deps.onChange();
    }
  }

  /** Lets a suspended nxagent read its options again and listen. */
  wake(): void {
    this.#boundLog();
    this.#apply("wake-ordered");
    this.hangUp();
  }

  /** SIGHUP: suspends a connected nxagent and wakes a suspended one. Repeated by `waitUntil` while unheard. */
  hangUp(): void {
    const unheard = this.#state === "connected" ? "RUNNING" : "SUSPENDED";
    this.#hangUp = { unheard, atMs: this.#deps.clock.monotonicMs() };
    const nxagent = this.#findNxagent();
    if (nxagent !== undefined) signalProcess(nxagent, "SIGHUP");
  }

  beginEnd(): void {
    this.#apply("end-began");
    // Where nxagent has not been seen yet, xinit passes the end on.
    const target = this.#findNxagent() ?? this.#record?.leader;
    if (target !== undefined) signalProcess(target, "SIGTERM");
  }

  /** KILL to all that was started with the session. */
  kill(): void {
    const record = this.#record;
    if (record === undefined) return;
    for (const found of listProcesses()) {
      if (this.#belongs(found, record)) signalProcess(found, "SIGKILL");
    }
    this.observe();
  }

  /** Looks now: new lines of the log, and whether the processes live. */
  observe(): void {
    const record = this.#record;
    if (record === undefined) return;
    this.#follower?.read();
    if (this.#state === "starting" && this.#server.isUp?.(record)) this.#apply("suspended");
    const nxagent = this.#findNxagent();
    const isServing = nxagent !== undefined && isAlive(nxagent);
    const isLed = isAlive(record.leader);
    if (isLed && (isServing || nxagent === undefined)) return;
    if (isLed) this.#endSoon(record.leader);
    // xinit was killed: its server has nobody to serve any more.
    else if (isServing) this.#endSoon(nxagent);
    else {
      this.#follower?.read();
      this.#end();
    }
  }

  /** xinit can miss the end of its server and wait for ever; TERM, and KILL if that is missed as well. */
  #endSoon(mark: ProcessMark): void {
    if (this.#ending.has(mark.pid)) return;
    this.#ending.add(mark.pid);
    signalProcess(mark, "SIGTERM");
    setTimeout(() => {
      this.#ending.delete(mark.pid);
      signalProcess(mark, "SIGKILL");
      setTimeout(() => this.observe(), LOOK.mostMs);
    }, LINGER_MS);
  }

  /**
   * Resolves with true as soon as `test` holds, with false when time is up or the signal aborts. Reads
   * nxagent's state file where the log could have missed something.
   */
  async waitUntil(
    test: (state: XState) => boolean,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const end = this.#deps.clock.monotonicMs() + timeoutMs;
    for (let look = 1; ; look++) {
      this.observe();
      if (test(this.#state)) return true;
      const leftMs = end - this.#deps.clock.monotonicMs();
      if (leftMs <= 0 || signal.aborted) return false;
      await this.#nextChange(Math.min(leftMs, backoffMs(look, LOOK)), signal);
      if (this.#state === "suspending") this.#readStateFile();
      this.#repeatHangUp();
    }
  }

  /** nxagent says that it waits a moment before its port is open. */
  async waitForPort(timeoutMs: number): Promise<boolean> {
    const isOpen = await waitFor(() => this.#state !== "listening" || this.#deps.isPortOpen(), {
      timeoutMs,
      everyMs: 2,
    });
    return isOpen === true && this.#state === "listening";
  }

  /**
   * Of a session that began before its agent was there, for the order that is known now: its client may have come already, or be
   * coming in while nothing says so yet, and is not to be moved from its place. False where it has still to come up.
   */
  async isGivenOut(timeoutMs: number): Promise<boolean> {
    if (this.#state === "listening") await this.waitForPort(timeoutMs);
    return this.#state !== "none" && this.#state !== "starting" && this.#state !== "stopping";
  }

  /** Leaves the session as it is and stops watching. */
  close(): void {
    this.#follower?.close();
    this.#follower = undefined;
  }

  #follow(): void {
    this.close();
    this.#follower = new LogFollower(
      this.#deps.places.log,
      (line) => {
        this.#deps.onLine?.(line);
        const event = this.#server.parseLine(line);
        if (event === undefined) return;
        this.#hangUp = undefined;
        if (event === "waiting-for-client") this.#findNxagent();
        this.#apply(event);
      },
      () => this.observe(),
    );
  }

  #apply(event: SessionEvent): void {
    if (event === "client-connected" || event === "resume-began") this.#hasServedClient = true;
    const next = nextState(this.#state, event);
    if (next !== undefined) this.#setState(next);
  }

  #setState(next: XState): void {
    const isNew = next !== this.#state;
    this.#state = next;
    this.#sinceMs = this.#deps.clock.monotonicMs();
    if (!isNew) return;
    this.#deps.log.info("session-state-changed", { state: next, session: this.#record?.session });
    this.#deps.onChange();
    for (const wakeUp of this.#waiting) wakeUp();
    // The last words come before the end of the process, and nothing tells of that.
    if (next === "stopping") setTimeout(() => this.observe(), LOOK.mostMs);
  }

  #end(): void {
    this.#lastWords = this.#follower?.lastLines ?? [];
    this.close();
    removeRecord(this.#deps.places.record);
    this.#record = undefined;
    this.#apply("gone");
  }

  #keep(record: SessionRecord): void {
    this.#record = record;
    writeRecord(this.#deps.places.record, record);
  }

  /** By kinship and owner, not by the pid in the log: that text is the user's to forge. */
  #findNxagent(): ProcessMark | undefined {
    const record = this.#record;
    if (record === undefined) return undefined;
    if (record.nxagent !== null) return record.nxagent;
    const { program } = this.#server;
    const mine = listProcesses().filter((one) => one.name === program && this.#belongs(one, record));
    // nxagent forks a helper of the same name, so the parent counts. A shadow is its own leader.
    const isLeader = ({ pid }: ProcessInfo) => pid === record.leader.pid;
    const found = mine.find(isLeader) ?? mine.find(({ parent }) => parent === record.leader.pid);
    if (found === undefined) return undefined;
    const nxagent = { pid: found.pid, startTicks: found.startTicks };
    this.#keep({ ...record, nxagent });
    return nxagent;
  }

  #belongs(found: ProcessInfo, record: SessionRecord): boolean {
    return (
      found.uid === record.uid && (found.session === record.leader.pid || found.pid === record.nxagent?.pid)
    );
  }

  #readStateFile(): void {
    const event = parseStateFile(readSmallFile(this.#deps.places.state));
    if (event === "suspended") this.#apply(event);
  }

  /** Its log is silent and its state file says what it said before the signal: it was not heard. */
  #repeatHangUp(): void {
    const sent = this.#hangUp;
    if (sent === undefined || this.#deps.clock.monotonicMs() - sent.atMs < REPEAT_HANG_UP_MS) return;
    if (readSmallFile(this.#deps.places.state) !== sent.unheard) return;
    this.#deps.log.info("session-hang-up-repeated", { state: this.#state });
    this.hangUp();
  }

  #boundLog(): void {
    if (statSync(this.#deps.places.log).size > MOST_LOG_BYTES) truncateSync(this.#deps.places.log);
  }

  #nextChange(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(finish, timeoutMs);
      const waiting = this.#waiting;
      waiting.add(finish);
      signal.addEventListener("abort", finish, { once: true });
      function finish() {
        clearTimeout(timer);
        waiting.delete(finish);
        signal.removeEventListener("abort", finish);
        resolve();
      }
    });
  }
}

function readSmallFile(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, 64);
  } catch {
    // nxagent may be rewriting it; the next look comes soon.
    return "";
  }
}

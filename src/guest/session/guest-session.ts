/**
 * What the node may ask of the person's X session: prepare it for a client, suspend it, stop it. Orders are
 * done one after the other, each within limits; a stop goes before whatever waits. How processes are started
 * and what state they are in is `x-session.ts`.
 */

import type { XState } from "../../domain/session/x-state.ts";
import { fitScreen, parseScreenSize, type ScreenSize } from "../../wire/display/control.ts";
import type { GuestAccount, GuestExpiry, GuestFault, GuestHook, ToGuest } from "../../wire/guest/messages.ts";
import type { Display } from "../display/display.ts";
import type { DisplayPrograms } from "../display/programs.ts";
import { warmStart } from "../display/warm-start.ts";
import {
  actionPairs,
  provisioningPairs,
  sessionPairs,
  stateHookOf,
  statePairs,
} from "../hooks/hook-pairs.ts";
import type { GuestHooks, HookOutcome, HookPairs } from "../hooks/hooks.ts";
import type { Peripherals } from "../peripherals/peripherals.ts";
import type { Provisioned, ProvisioningHook } from "../provision.ts";
import type { LaunchInput } from "./launch.ts";
import { formatOptionsLine, writeOptions } from "./options-line.ts";
import { OrderAhead } from "./order-ahead.ts";
import { SESSION_LIMITS, type SessionLimits } from "./session-limits.ts";
import { XSession, type XSessionDeps } from "./x-session.ts";

export type PrepareOrder = Extract<ToGuest, { type: "session-prepare" }>;

export type OrderOutcome =
  | { readonly isGood: true }
  | { readonly isGood: false; readonly fault: GuestFault; readonly text: string };

export type SessionDisplay = { readonly screen: Display; readonly programs: DisplayPrograms };

export type GuestSessionDeps = XSessionDeps & {
  readonly provision: (account: GuestAccount, hook: ProvisioningHook) => Promise<Provisioned>;
  /** The image's own; none when not given. */
  readonly hooks?: GuestHooks;
  /** What shows the session to a browser. */
  readonly display?: SessionDisplay;
  /** Gives the desktop the time zone of the client that comes. */
  readonly setTimeZone?: (zone: string) => void;
  /** Has the place where a directory says that the home is lead to it. */
  readonly linkHome?: (wanted: string, home: string) => void;
  /** Sound, printing and shared folders; none when not given. */
  readonly peripherals?: Pick<Peripherals, "prepare">;
  readonly limits?: Partial<SessionLimits>;
};

/** Rounds of looking and acting before a session that never settles is given up. */
const MOST_ROUNDS = 6;
const PORT_TIMEOUT_MS = 2_000;
/** The only peer of a first client that we play ourselves. */
const LOOPBACK = "127.0.0.1";
const USUAL_SCREEN = { width: 1024, height: 768 };
const DONE: OrderOutcome = { isGood: true };
export class GuestSession {
  readonly #deps: GuestSessionDeps;
  readonly #limits: SessionLimits;
  readonly #x: XSession;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running = new AbortController();
  #session: number | null = null;
  /** What the order in turn prepares for, and for what nxagent was last made to listen; undefined before. */
  #access: "nx" | "browser" = "nx";
  #listensTo: "nx" | "browser" | undefined;
  readonly #ahead: OrderAhead<OrderOutcome>;
  /** What hooks are told of the session that was prepared last. */
  #pairs: HookPairs = {};
  #toldState: XState = "none";
  /** False while a session of an earlier agent is found again, whose states that one has told. */
  #isKnown = false;

  constructor(deps: GuestSessionDeps) {
    this.#deps = deps;
    this.#limits = { ...SESSION_LIMITS, ...deps.limits };
    this.#ahead = new OrderAhead(deps.clock);
    this.#x = new XSession({ ...deps, onChange: () => this.#tellChange() });
    deps.display?.screen.watch((isSeated) => this.#runState(isSeated ? "connected" : "suspended"));
  }

  get state(): XState {
    return this.#x.state;
  }

  /** Id of the session that was prepared last; it stays after the session's end, to say which one ended. */
  get session(): number | null {
    return this.#session;
  }

  recover(): void {
    this.#x.recover();
    this.#isKnown = true;
    this.#session = this.#x.record?.session ?? null;
  }

  /** To be called now and then: sees the end of a session whose processes are not our children. */
  observe(): void {
    this.#x.observe();
  }

  /** Before the node is there to be answered: its order for the same session finds it done. */
  prepareAhead(order: PrepareOrder): void {
    const outcome = this.#inTurn((signal) => this.#prepare(order, signal, { isAhead: true }));
    this.#ahead.keep(order.session, outcome);
  }

  prepare(order: PrepareOrder): Promise<OrderOutcome> {
    const isDone = this.#ahead.take(order.session, this.#limits.staleListeningMs);
    return isDone ?? this.#inTurn((signal) => this.#prepare(order, signal));
  }

  suspend(): Promise<OrderOutcome> {
    return this.#inTurn((signal) => this.#suspend(signal));
  }

  stop(): Promise<OrderOutcome> {
    this.#running.abort();
    this.#running = new AbortController();
    return this.#inTurn((signal) => this.#stop(signal));
  }

  /** Ends the session for a desktop that goes down; its hook may refuse that. */
  async powerOff(): Promise<OrderOutcome> {
    return (await this.#ask("poweroff")) ?? (await this.stop());
  }

  /** Before the person is told that a newer image waits. */
  async expire({ soft, hard }: GuestExpiry): Promise<OrderOutcome | undefined> {
    return await this.#ask("expire", { "vm.expiration.soft": soft, "vm.expiration.hard": hard });
  }

  /** Stops watching; the session goes on. */
  close(): void {
    this.#running.abort();
    this.#deps.display?.screen.hide();
    this.#x.close();
  }

  #inTurn(work: (signal: AbortSignal) => Promise<OrderOutcome>): Promise<OrderOutcome> {
    if (this.#waiting >= this.#limits.mostOrders) {
      return Promise.resolve(fail("bad-order", `${this.#waiting} orders already wait`));
    }
    this.#waiting += 1;
    const signal = this.#running.signal;
    const result = this.#last.then(async () => {
      try {
        return signal.aborted
          ? fail("session-ended", "the session was asked to stop meanwhile")
          : await work(signal);
      } finally {
        this.#waiting -= 1;
      }
    });
    // The next in turn does not care how this one ended; its own caller sees it.
    this.#last = result.catch(() => {});
    return result;
  }

  async #prepare(order: PrepareOrder, signal: AbortSignal, { isAhead = false } = {}): Promise<OrderOutcome> {
    this.#pairs = sessionPairs(order);
    const refusal = await this.#ask("pre-connect");
    if (refusal !== undefined) return refusal;
    const provisioned = await this.#deps.provision(order.account, (hook) =>
      this.#run(hook, provisioningPairs(hook)),
    );
    if (!provisioned.isGood) return provisioned;
    const home = order.parameters?.["qvd.vm.user.home"];
    if (home !== undefined) this.#deps.linkHome?.(home, provisioned.home);
    const second = await this.#ask("connect");
    if (second !== undefined) return second;
    const zone = order.client.given?.["qvd.client.timezone"];
    if (zone !== undefined) this.#deps.setTimeZone?.(zone);
    const { places } = this.#deps;
    this.#access = order.access ?? "nx";
    const size = fitScreen(parseScreenSize(order.client.geometry) ?? USUAL_SCREEN);
    const screen = { geometry: `${size.width}x${size.height}`, isFullscreen: true, link: "lan" };
    const options = formatOptionsLine({
      client: this.#access === "nx" ? order.client : { ...order.client, ...screen },
      accept: this.#access === "nx" ? order.accept : LOOPBACK,
      stateFile: places.state,
      channels: this.#deps.peripherals?.prepare(order, provisioned) ?? [],
    });
    if (options === undefined)
      return fail("bad-order", "the client's parameters can't be written for nxagent");
    const owner = this.#x.record;
    if (owner !== undefined && owner.uid !== order.account.uid) {
      return fail("account-refused", `a session of ${owner.login} runs in this desktop`);
    }
    if (this.#access === "nx") this.#deps.display?.screen.hide();
    const isBegun = isAhead && owner?.session === order.session;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      if (signal.aborted) return fail("session-ended", "the session was asked to stop meanwhile");
      this.#x.observe();
      if (isBegun && (await this.#x.isGivenOut(PORT_TIMEOUT_MS))) return DONE;
      writeOptions(places.options, options);
      const input = { account: order.account, ...provisioned, program: order.program };
      const failure =
        this.#access === "nx"
          ? await this.#step(input, order.session, signal)
          : await this.#stepToScreen(input, { order, size }, signal);
      if (failure === "listening") return DONE;
      if (failure !== undefined) return failure;
    }
    return fail("session-start-failed", `nxagent does not settle: ${this.#x.describeEnd()}`);
  }

  /** One step towards `listening`; undefined means that it is worth another look. */
  async #step(
    input: LaunchInput,
    session: number,
    signal: AbortSignal,
  ): Promise<OrderOutcome | "listening" | undefined> {
    switch (this.#x.state) {
      case "none":
        this.#session = session;
        this.#listensTo = this.#access;
        this.#x.start(input, session);
        return this.#awaitListening(signal);
      case "starting":
        this.#assign(session);
        return this.#awaitListening(signal);
      case "listening":
        if (this.#listensTo === "browser" && !this.#x.hasServedClient) return this.#endUnvisited(signal);
        if (this.#listensTo !== "browser" && this.#x.stateAgeMs < this.#limits.staleListeningMs) {
          const outcome = await this.#reuseListening(session);
          if (outcome !== "shut") return outcome;
        }
        return this.#awaitSuspended(true, signal);
      case "connected": {
        const hasLeft = (state: XState) => state !== "connected";
        if (await this.#x.waitUntil(hasLeft, this.#limits.patienceMs, signal)) return undefined;
        return this.#awaitSuspended(true, signal);
      }
      case "suspending":
        return this.#awaitSuspended(false, signal);
      case "suspended":
        this.#assign(session);
        this.#listensTo = this.#access;
        this.#x.wake();
        return this.#awaitListening(signal);
      case "stopping":
        return (await this.#awaitEnd(signal))
          ? undefined
          : fail("session-stop-timeout", "the session before would not end");
    }
  }

  /** One step towards a session that is suspended and shown; undefined means that it is worth another look. */
  async #stepToScreen(
    input: LaunchInput,
    { order, size }: { readonly order: PrepareOrder; readonly size: ScreenSize },
    signal: AbortSignal,
  ): Promise<OrderOutcome | "listening" | undefined> {
    const { display } = this.#deps;
    if (display === undefined)
      return fail("session-start-failed", "this desktop can't be shown to a browser");
    const { state } = this.#x;
    if (state === "suspended") {
      this.#assign(order.session);
      const door = { user: input, size, accept: order.accept, key: order.slaveKey, client: order.client };
      const problem = await display.screen.show(door);
      return problem === undefined ? "listening" : fail("session-start-failed", problem);
    }
    if (state !== "listening") {
      const outcome = await this.#step(input, order.session, signal);
      return outcome === "listening" ? undefined : outcome;
    }
    if (this.#x.hasServedClient) return this.#awaitSuspended(true, signal);
    if (this.#listensTo !== "browser") return this.#endUnvisited(signal);
    const { startMs: timeoutMs } = this.#limits;
    const { programs } = display;
    const problem = await warmStart(this.#x, { programs, user: input, size, timeoutMs, signal });
    return problem === undefined || signal.aborted ? undefined : fail("session-start-failed", problem);
  }

  /**
   * An earlier requester vanished; the place that was made for it serves as well, as long as nobody sits down
   * on it: nxagent shuts its port at once, and says only after the talk of both that somebody came.
   */
  async #reuseListening(session: number): Promise<"listening" | "shut" | undefined> {
    const isOpen = await this.#x.waitForPort(PORT_TIMEOUT_MS);
    this.#x.observe();
    if (this.#x.state !== "listening") return undefined;
    if (!isOpen) return "shut";
    this.#assign(session);
    return "listening";
  }

  /** nxagent waits for a client of another kind, and takes no new options before one came; nothing is lost. */
  async #endUnvisited(signal: AbortSignal): Promise<undefined> {
    await this.#end(signal);
  }

  #assign(session: number): void {
    if (this.#session === session) return;
    this.#session = session;
    this.#x.assign(session);
  }

  async #awaitListening(signal: AbortSignal): Promise<OrderOutcome | "listening" | undefined> {
    const isSettled = await this.#x.waitUntil((state) => state !== "starting", this.#limits.startMs, signal);
    if (this.#x.state === "listening" && (await this.#x.waitForPort(PORT_TIMEOUT_MS))) return "listening";
    if (signal.aborted) return undefined;
    if (isSettled && this.#x.state === "none") {
      return fail("session-start-failed", `nxagent ended at its start: ${this.#x.describeEnd()}`);
    }
    if (isSettled) return undefined;
    const text = `nxagent was not ready after ${this.#limits.startMs / 1000} s: ${this.#x.describeEnd()}`;
    // A session that has served a client holds the person's windows; a start that hangs holds nothing.
    if (!this.#x.hasServedClient) await this.#end(signal);
    return fail("session-start-timeout", text);
  }

  async #awaitSuspended(isToBeAsked: boolean, signal: AbortSignal): Promise<OrderOutcome | undefined> {
    const before = this.#x.state;
    if (isToBeAsked) this.#x.hangUp();
    const hasMoved = (state: XState) => state !== before && state !== "suspending";
    if (await this.#x.waitUntil(hasMoved, this.#limits.suspendMs, signal)) return undefined;
    if (signal.aborted) return undefined;
    const text = `nxagent did not suspend within ${this.#limits.suspendMs / 1000} s: ${this.#x.describeEnd()}`;
    return fail("session-suspend-timeout", text);
  }

  /** Runs the hook before an action; its failure is the action's. */
  async #ask(hook: GuestHook, more: HookPairs = {}): Promise<OrderOutcome | undefined> {
    const outcome = await this.#run(hook, { ...actionPairs(hook, this.#x.state), ...more });
    return outcome.kind === "failed" ? fail("hook-failed", outcome.text) : undefined;
  }

  async #run(hook: GuestHook, pairs: HookPairs): Promise<HookOutcome> {
    return (await this.#deps.hooks?.run(hook, { ...this.#pairs, ...pairs })) ?? { kind: "absent" };
  }

  #tellChange(): void {
    const hook = stateHookOf(this.#x.state);
    // What a browser shows is suspended, and connected only by a first client of ours: its seat says more.
    const isSeats = this.#access === "browser" && hook !== "disconnected";
    if (this.#isKnown && hook !== undefined && !isSeats && this.#x.state !== this.#toldState)
      this.#runState(hook);
    this.#toldState = this.#x.state;
    this.#deps.onChange();
  }

  #runState(hook: GuestHook): void {
    this.#deps.hooks?.runBeside(hook, { ...this.#pairs, ...statePairs(hook) });
  }

  async #suspend(signal: AbortSignal): Promise<OrderOutcome> {
    this.#x.observe();
    if (this.#x.state === "listening" || this.#x.state === "connected") {
      const refusal = await this.#ask("suspend");
      if (refusal !== undefined) return refusal;
    }
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.#x.observe();
      const state = this.#x.state;
      if (state === "none" || state === "suspended" || state === "stopping") return DONE;
      const failure =
        state === "starting"
          ? await this.#awaitListening(signal)
          : await this.#awaitSuspended(state !== "suspending", signal);
      if (failure !== undefined && failure !== "listening") return failure;
      if (signal.aborted) return fail("session-ended", "the session was asked to stop meanwhile");
    }
    return fail("session-suspend-timeout", `nxagent does not settle: ${this.#x.describeEnd()}`);
  }

  async #stop(signal: AbortSignal): Promise<OrderOutcome> {
    this.#x.observe();
    if (this.#x.state === "none") return DONE;
    const refusal = await this.#ask("stop");
    if (refusal !== undefined) return refusal;
    this.#deps.display?.screen.hide();
    return (await this.#end(signal))
      ? DONE
      : fail("session-stop-timeout", "processes of the session outlive a KILL");
  }

  /** TERM, and KILL after the grace. */
  async #end(signal: AbortSignal): Promise<boolean> {
    this.#x.beginEnd();
    return this.#awaitEnd(signal);
  }

  async #awaitEnd(signal: AbortSignal): Promise<boolean> {
    const isGone = (state: XState) => state === "none";
    if (await this.#x.waitUntil(isGone, this.#limits.graceMs, signal)) return true;
    this.#x.kill();
    return this.#x.waitUntil(isGone, this.#limits.graceMs, signal);
  }
}

function fail(fault: GuestFault, text: string): OrderOutcome {
  return { isGood: false, fault, text };
}

/**
 * What the node may ask of the person's X session: prepare it for a client, suspend it, stop it. Orders are
 * done one after the other, each within limits; a stop goes before whatever waits. On which X server the session is, is
 * chosen when it begins (`choose-server.ts`), and all that hangs on that is behind `served-session.ts`.
 */

import type { XState } from "../../domain/session/x-state.ts";
import { fitScreen, NX_SCREEN, parseScreenSize } from "../../wire/display/control.ts";
import type { GuestAccount, GuestExpiry, GuestHook } from "../../wire/guest/messages.ts";
import type { Display } from "../display/display.ts";
import type { DisplayPrograms } from "../display/programs.ts";
import {
  actionPairs,
  provisioningPairs,
  sessionPairs,
  stateHookOf,
  statePairs,
} from "../hooks/hook-pairs.ts";
import type { GuestHooks, HookOutcome, HookPairs } from "../hooks/hooks.ts";
import type { Peripherals } from "../peripherals/peripherals.ts";
import type { GuestPlaces } from "../places.ts";
import type { Provisioned, ProvisioningHook } from "../provision.ts";
import { chooseServer } from "./choose-server.ts";
import type { Launched, LaunchInput } from "./launch.ts";
import { NxSession } from "./nx-session.ts";
import { formatOptionsLine } from "./options-line.ts";
import { DONE, fail, type OrderOutcome, type PrepareOrder } from "./order.ts";
import { OrderAhead } from "./order-ahead.ts";
import type { ServedSession } from "./served-session.ts";
import { SESSION_LIMITS, type SessionLimits } from "./session-limits.ts";
import { VncSession } from "./vnc-session.ts";
import type { XSessionDeps } from "./x-session.ts";

export type SessionDisplay = { readonly screen: Display; readonly programs: DisplayPrograms };

/** Xvnc, for sessions that begin in a browser. */
export type OwnServer = {
  /** Whether the image has it, and what shows it to an NX client. */
  readonly isInstalled: () => boolean;
  readonly launch: (input: LaunchInput) => Launched;
  readonly launchShadow: (input: LaunchInput) => Launched;
};

export type GuestSessionDeps = Omit<XSessionDeps, "places" | "server"> & {
  readonly places: GuestPlaces;
  readonly provision: (account: GuestAccount, hook: ProvisioningHook) => Promise<Provisioned>;
  /** The image's own; none when not given. */
  readonly hooks?: GuestHooks;
  /** What shows the session to a browser. */
  readonly display?: SessionDisplay;
  /** Without it all sessions are nxagent's. */
  readonly ownServer?: OwnServer;
  /** Gives the desktop the time zone of the client that comes. */
  readonly setTimeZone?: (zone: string) => void;
  /** Has the place where a directory says that the home is lead to it. */
  readonly linkHome?: (wanted: string, home: string) => void;
  /** Sound, printing and shared folders; none when not given. */
  readonly peripherals?: Pick<Peripherals, "prepare">;
  readonly limits?: Partial<SessionLimits>;
};

/** The only peer of a first client that we play ourselves. */
const LOOPBACK = "127.0.0.1";
const USUAL_SCREEN = { width: 1024, height: 768 };
/** Of an X server that has come up, and of nxagent with a first client. */
const BEGUN: readonly XState[] = ["connected", "suspending", "suspended"];
const OVER_MEANWHILE =
  "the session ended while it was being opened; what its program said is in ~/.xsession-errors";

export class GuestSession {
  readonly #deps: GuestSessionDeps;
  readonly #limits: SessionLimits;
  readonly #nx: NxSession;
  readonly #vnc: VncSession | undefined;
  /** The one that runs, or ran last. */
  #served: ServedSession;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running = new AbortController();
  #session: number | null = null;
  /** The person's programs run, or ran, since a session was last begun: they are not begun twice. */
  #hasBegun = false;
  /** What the order in turn prepares for. */
  #access: "nx" | "browser" = "nx";
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
    [this.#nx, this.#vnc] = openKinds(deps, {
      limits: this.#limits,
      onChange: () => this.#tellChange(),
      onAssign: (session) => {
        this.#session = session;
      },
    });
    this.#served = this.#nx;
    deps.display?.screen.watch((isSeated) => this.#runState(isSeated ? "connected" : "suspended"));
  }

  get state(): XState {
    return this.#served.state;
  }

  /** Id of the session that was prepared last; it stays after the session's end, to say which one ended. */
  get session(): number | null {
    return this.#session;
  }

  recover(): void {
    this.#nx.recover();
    this.#vnc?.recover();
    if (this.#vnc !== undefined && this.#vnc.state !== "none") this.#served = this.#vnc;
    this.#isKnown = true;
    this.#hasBegun = BEGUN.includes(this.state);
    this.#session = this.#served.record?.session ?? null;
  }

  /** To be called now and then: sees the end of a session whose processes are not our children. */
  observe(): void {
    this.#served.observe();
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
    this.#nx.close();
    this.#vnc?.close();
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
    const { width, height } = fitScreen(size, NX_SCREEN);
    const screen = { geometry: `${width}x${height}`, isFullscreen: true, link: "lan" };
    const options = formatOptionsLine({
      client: this.#access === "nx" ? order.client : { ...order.client, ...screen },
      accept: this.#access === "nx" ? order.accept : LOOPBACK,
      stateFile: places.state,
      channels: this.#deps.peripherals?.prepare(order, provisioned) ?? [],
    });
    if (options === undefined)
      return fail("bad-order", "the client's parameters can't be written for nxagent");
    this.#served.observe();
    const owner = this.#served.record;
    if (owner !== undefined && owner.uid !== order.account.uid) {
      return fail("account-refused", `a session of ${owner.login} runs in this desktop`);
    }
    if (this.#served.state === "none") this.#choose(order);
    const user = { account: order.account, ...provisioned, program: order.program };
    const coming = { order, access: this.#access, user, size, options, isAhead };
    const outcome = await this.#served.prepare(coming, signal);
    this.#served.observe();
    if (outcome.isGood || this.#served.state !== "none" || signal.aborted) return outcome;
    if (this.#hasBegun) return fail("session-start-failed", `${OVER_MEANWHILE} (${outcome.text})`);
    if (this.#served === this.#nx) return outcome;
    this.#deps.log.warn("session-falls-back-to-nxagent", { text: outcome.text });
    this.#served = this.#nx;
    const onNxagent = await this.#nx.prepare(coming, signal);
    if (onNxagent.isGood || signal.aborted) return onNxagent;
    // What kept both is told: on a slow machine the second one's trouble is but the first one's.
    return fail(onNxagent.fault, `${outcome.text}; nor does it come on nxagent: ${onNxagent.text}`);
  }

  /** For a session that begins. */
  #choose(order: PrepareOrder): void {
    const hasOwn = this.#vnc !== undefined && this.#deps.ownServer?.isInstalled() === true;
    this.#served = hasOwn && chooseServer(order) === "vnc" ? this.#vnc : this.#nx;
  }

  /** Runs the hook before an action; its failure is the action's. */
  async #ask(hook: GuestHook, more: HookPairs = {}): Promise<OrderOutcome | undefined> {
    const outcome = await this.#run(hook, { ...actionPairs(hook, this.state), ...more });
    return outcome.kind === "failed" ? fail("hook-failed", outcome.text) : undefined;
  }

  async #run(hook: GuestHook, pairs: HookPairs): Promise<HookOutcome> {
    return (await this.#deps.hooks?.run(hook, { ...this.#pairs, ...pairs })) ?? { kind: "absent" };
  }

  #tellChange(): void {
    if (this.state === "starting" && this.#toldState === "none") this.#hasBegun = false;
    else if (BEGUN.includes(this.state)) this.#hasBegun = true;
    const hook = stateHookOf(this.state);
    // What a browser shows is suspended, and connected only by a first client of ours: its seat says more.
    const isSeats = this.#access === "browser" && hook !== "disconnected";
    if (this.#isKnown && hook !== undefined && !isSeats && this.state !== this.#toldState)
      this.#runState(hook);
    this.#toldState = this.state;
    this.#deps.onChange();
  }

  #runState(hook: GuestHook): void {
    this.#deps.hooks?.runBeside(hook, { ...this.#pairs, ...statePairs(hook) });
  }

  async #suspend(signal: AbortSignal): Promise<OrderOutcome> {
    this.#served.observe();
    if (this.state === "listening" || this.state === "connected") {
      const refusal = await this.#ask("suspend");
      if (refusal !== undefined) return refusal;
    }
    return this.#served.suspend(signal);
  }

  async #stop(signal: AbortSignal): Promise<OrderOutcome> {
    this.#served.observe();
    if (this.state === "none") return DONE;
    const refusal = await this.#ask("stop");
    if (refusal !== undefined) return refusal;
    this.#deps.display?.screen.hide();
    return (await this.#served.end(signal))
      ? DONE
      : fail("session-stop-timeout", "processes of the session outlive a KILL");
  }
}

type Shared = {
  readonly limits: SessionLimits;
  readonly onChange: () => void;
  readonly onAssign: (session: number) => void;
};

function openKinds(deps: GuestSessionDeps, shared: Shared): readonly [NxSession, VncSession | undefined] {
  const { places, display, ownServer } = deps;
  const { limits, onChange, onAssign } = shared;
  const common = { limits, display, onAssign, optionsPath: places.options };
  const nx = new NxSession({ ...deps, ...common, onChange });
  if (ownServer === undefined || display === undefined) return [nx, undefined];
  const { log, clock, isPortOpen, onLine } = deps;
  const base = { log, clock, isPortOpen, onChange };
  const shadowPlaces = { record: places.shadowRecord, log: places.shadowLog, state: places.state };
  const shadow = { ...base, places: shadowPlaces, launch: ownServer.launchShadow, ...(onLine && { onLine }) };
  const server = { ...base, places, launch: ownServer.launch };
  const passwordPath = places.screenPassword;
  return [nx, new VncSession({ ...common, display, server, shadow, passwordPath })];
}

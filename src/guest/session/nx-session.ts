/**
 * The session on nxagent: an NX client is its screen, and while it has none it is suspended and can be shown to browsers.
 * Steps lead from whatever state it is in to the one that is wanted.
 */

import type { XState } from "../../domain/session/x-state.ts";
import { fitScreen, NX_SCREEN } from "../../wire/display/control.ts";
import { warmStart } from "../display/warm-start.ts";
import type { SessionDisplay } from "./guest-session.ts";
import { writeOptions } from "./options-line.ts";
import { DONE, fail, type OrderOutcome } from "./order.ts";
import type { SessionRecord } from "./record.ts";
import type { Coming, ServedSession } from "./served-session.ts";
import type { SessionLimits } from "./session-limits.ts";
import {
  awaitEnd,
  awaitListening,
  awaitSuspended,
  endSession,
  isStillListening,
  MOST_ROUNDS,
  PORT_TIMEOUT_MS,
} from "./settle.ts";
import { XSession, type XSessionDeps } from "./x-session.ts";

export type NxSessionDeps = XSessionDeps & {
  readonly optionsPath: string;
  readonly limits: SessionLimits;
  readonly display: SessionDisplay | undefined;
  /** Called with the session that the next client belongs to. */
  readonly onAssign: (session: number) => void;
};

export class NxSession implements ServedSession {
  readonly #deps: NxSessionDeps;
  readonly #x: XSession;
  readonly #settling: { readonly x: XSession; readonly limits: SessionLimits };
  /** For what nxagent was last made to listen; undefined before. */
  #listensTo: "nx" | "browser" | undefined;

  constructor(deps: NxSessionDeps) {
    this.#deps = deps;
    this.#x = new XSession(deps);
    this.#settling = { x: this.#x, limits: deps.limits };
  }

  get state(): XState {
    return this.#x.state;
  }

  get record(): SessionRecord | undefined {
    return this.#x.record;
  }

  recover(): void {
    this.#x.recover();
  }

  observe(): void {
    this.#x.observe();
  }

  close(): void {
    this.#x.close();
  }

  async prepare(coming: Coming, signal: AbortSignal): Promise<OrderOutcome> {
    if (coming.access === "nx") this.#deps.display?.screen.hide();
    const isBegun = coming.isAhead && this.#x.record?.session === coming.order.session;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      if (signal.aborted) return fail("session-ended", "the session was asked to stop meanwhile");
      this.#x.observe();
      if (isBegun && (await this.#x.isGivenOut(PORT_TIMEOUT_MS))) return DONE;
      writeOptions(this.#deps.optionsPath, coming.options);
      const failure =
        coming.access === "nx" ? await this.#step(coming, signal) : await this.#stepToScreen(coming, signal);
      if (failure === "listening") return DONE;
      if (failure !== undefined) return failure;
    }
    return fail("session-start-failed", `nxagent does not settle: ${this.#x.describeEnd()}`);
  }

  /** One step towards `listening`; undefined means that it is worth another look. */
  async #step(
    { order: { session }, user, access }: Coming,
    signal: AbortSignal,
  ): Promise<OrderOutcome | "listening" | undefined> {
    const { limits } = this.#deps;
    switch (this.#x.state) {
      case "none":
        this.#deps.onAssign(session);
        this.#listensTo = access;
        this.#x.start(user, session);
        return awaitListening(this.#settling, signal);
      case "starting":
        this.#assign(session);
        return awaitListening(this.#settling, signal);
      case "listening":
        if (this.#listensTo === "browser" && !this.#x.hasServedClient) return this.#endUnvisited(signal);
        if (this.#listensTo !== "browser" && this.#x.stateAgeMs < limits.staleListeningMs) {
          const outcome = await isStillListening(this.#settling);
          if (outcome === "listening") this.#assign(session);
          if (outcome !== "shut") return outcome;
        }
        return awaitSuspended(this.#settling, true, signal);
      case "connected": {
        const hasLeft = (state: XState) => state !== "connected";
        if (await this.#x.waitUntil(hasLeft, limits.patienceMs, signal)) return undefined;
        return awaitSuspended(this.#settling, true, signal);
      }
      case "suspending":
        return awaitSuspended(this.#settling, false, signal);
      case "suspended":
        this.#assign(session);
        this.#listensTo = access;
        this.#x.wake();
        return awaitListening(this.#settling, signal);
      case "stopping":
        return (await awaitEnd(this.#settling, signal))
          ? undefined
          : fail("session-stop-timeout", "the session before would not end");
    }
  }

  /** One step towards a session that is suspended and shown; undefined means that it is worth another look. */
  async #stepToScreen(coming: Coming, signal: AbortSignal): Promise<OrderOutcome | "listening" | undefined> {
    const { display } = this.#deps;
    if (display === undefined)
      return fail("session-start-failed", "this desktop can't be shown to a browser");
    const size = fitScreen(coming.size, NX_SCREEN);
    const { order, user } = coming;
    const { state } = this.#x;
    if (state === "suspended") {
      this.#assign(order.session);
      const door = { user, size, accept: order.accept, key: order.slaveKey, client: order.client };
      const problem = await display.screen.show(door);
      return problem === undefined ? "listening" : fail("session-start-failed", problem);
    }
    if (state !== "listening") {
      const outcome = await this.#step(coming, signal);
      return outcome === "listening" ? undefined : outcome;
    }
    if (this.#x.hasServedClient) return awaitSuspended(this.#settling, true, signal);
    if (this.#listensTo !== "browser") return this.#endUnvisited(signal);
    const { startMs: timeoutMs } = this.#deps.limits;
    const problem = await warmStart(this.#x, { programs: display.programs, user, size, timeoutMs, signal });
    return problem === undefined || signal.aborted ? undefined : fail("session-start-failed", problem);
  }

  /** nxagent waits for a client of another kind, and takes no new options before one came; nothing is lost. */
  async #endUnvisited(signal: AbortSignal): Promise<undefined> {
    await this.end(signal);
  }

  #assign(session: number): void {
    if (this.#x.record?.session === session) return;
    this.#deps.onAssign(session);
    this.#x.assign(session);
  }

  async suspend(signal: AbortSignal): Promise<OrderOutcome> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.#x.observe();
      const state = this.#x.state;
      if (state === "none" || state === "suspended" || state === "stopping") return DONE;
      const failure =
        state === "starting"
          ? await awaitListening(this.#settling, signal)
          : await awaitSuspended(this.#settling, state !== "suspending", signal);
      if (failure !== undefined && failure !== "listening") return failure;
      if (signal.aborted) return fail("session-ended", "the session was asked to stop meanwhile");
    }
    return fail("session-suspend-timeout", `nxagent does not settle: ${this.#x.describeEnd()}`);
  }

  end(signal: AbortSignal): Promise<boolean> {
    return endSession(this.#settling, signal);
  }
}

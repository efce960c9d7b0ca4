/**
 * An nxagent that shows to an NX client what another X server of the session has, and takes its keys and pointer there. It
 * keeps nothing: it ends with its client, and the next client gets a new one.
 */

import type { XState } from "../../domain/session/x-state.ts";
import type { LaunchInput } from "./launch.ts";
import { DONE, fail, type OrderOutcome } from "./order.ts";
import type { SessionLimits } from "./session-limits.ts";
import { awaitEnd, awaitListening, endSession, isStillListening, MOST_ROUNDS } from "./settle.ts";
import { XSession, type XSessionDeps } from "./x-session.ts";

export class NxShadow {
  readonly #x: XSession;
  readonly #settling: { readonly x: XSession; readonly limits: SessionLimits };

  constructor(deps: XSessionDeps, limits: SessionLimits) {
    this.#x = new XSession(deps);
    this.#settling = { x: this.#x, limits };
  }

  get state(): XState {
    return this.#x.state;
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

  /** Until it listens for the client of `session`. The options line must be there. */
  async prepare(user: LaunchInput, session: number, signal: AbortSignal): Promise<OrderOutcome> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      if (signal.aborted) return fail("session-ended", "the session was asked to stop meanwhile");
      this.#x.observe();
      const outcome = await this.#step(user, session, signal);
      if (outcome === "listening") return DONE;
      if (outcome !== undefined) return outcome;
    }
    return fail("session-start-failed", `nxagent does not settle: ${this.#x.describeEnd()}`);
  }

  async #step(
    user: LaunchInput,
    session: number,
    signal: AbortSignal,
  ): Promise<OrderOutcome | "listening" | undefined> {
    const { limits } = this.#settling;
    switch (this.#x.state) {
      case "none":
        this.#x.start(user, session);
        return awaitListening(this.#settling, signal);
      case "starting":
        return awaitListening(this.#settling, signal);
      case "listening":
        if (this.#x.stateAgeMs < limits.staleListeningMs) {
          const outcome = await isStillListening(this.#settling);
          if (outcome !== "shut") return outcome;
        }
        break;
      case "connected": {
        const hasLeft = (state: XState) => state !== "connected";
        if (await this.#x.waitUntil(hasLeft, limits.patienceMs, signal)) return undefined;
        break;
      }
      case "stopping":
        if (await awaitEnd(this.#settling, signal)) return undefined;
        return fail("session-stop-timeout", "the view of the client before would not end");
    }
    if (await this.end(signal)) return undefined;
    return fail("session-suspend-timeout", "the view of the client before would not end");
  }

  /** False when something outlives a KILL. May be called when there is none. */
  async end(signal: AbortSignal): Promise<boolean> {
    this.#x.observe();
    return this.#x.state === "none" || endSession(this.#settling, signal);
  }
}

/** Waits for an X session to come where it was sent, each within its limit, and says what kept it. */

import type { XState } from "../../domain/session/x-state.ts";
import { fail, type OrderOutcome } from "./order.ts";
import type { SessionLimits } from "./session-limits.ts";
import type { XSession } from "./x-session.ts";

/** Rounds of looking and acting before a session that never settles is given up. */
export const MOST_ROUNDS = 6;
export const PORT_TIMEOUT_MS = 2_000;

export type Settling = { readonly x: XSession; readonly limits: SessionLimits };

/** Undefined means that it is worth another look. */
export async function awaitListening(
  { x, limits }: Settling,
  signal: AbortSignal,
): Promise<OrderOutcome | "listening" | undefined> {
  const isSettled = await x.waitUntil((state) => state !== "starting", limits.startMs, signal);
  if (x.state === "listening" && (await x.waitForPort(PORT_TIMEOUT_MS))) return "listening";
  if (signal.aborted) return undefined;
  if (isSettled && x.state === "none") {
    return fail("session-start-failed", `nxagent ended at its start: ${x.describeEnd()}`);
  }
  if (isSettled) return undefined;
  const text = `nxagent was not ready after ${limits.startMs / 1000} s: ${x.describeEnd()}`;
  // A session that has served a client holds the person's windows; a start that hangs holds nothing.
  if (!x.hasServedClient) await endSession({ x, limits }, signal);
  return fail("session-start-timeout", text);
}

export async function awaitSuspended(
  { x, limits }: Settling,
  isToBeAsked: boolean,
  signal: AbortSignal,
): Promise<OrderOutcome | undefined> {
  const before = x.state;
  if (isToBeAsked) x.hangUp();
  const hasMoved = (state: XState) => state !== before && state !== "suspending";
  if (await x.waitUntil(hasMoved, limits.suspendMs, signal)) return undefined;
  if (signal.aborted) return undefined;
  const text = `nxagent did not suspend within ${limits.suspendMs / 1000} s: ${x.describeEnd()}`;
  return fail("session-suspend-timeout", text);
}

/**
 * An earlier requester vanished; the place that was made for it serves as well, as long as nobody sits down
 * on it: nxagent shuts its port at once, and says only after the talk of both that somebody came.
 */
export async function isStillListening({ x }: Settling): Promise<"listening" | "shut" | undefined> {
  const isOpen = await x.waitForPort(PORT_TIMEOUT_MS);
  x.observe();
  if (x.state !== "listening") return undefined;
  return isOpen ? "listening" : "shut";
}

/** TERM, and KILL after the grace. False when something outlives both. */
export async function endSession(settling: Settling, signal: AbortSignal): Promise<boolean> {
  settling.x.beginEnd();
  return awaitEnd(settling, signal);
}

export async function awaitEnd({ x, limits }: Settling, signal: AbortSignal): Promise<boolean> {
  const isGone = (state: XState) => state === "none";
  if (await x.waitUntil(isGone, limits.graceMs, signal)) return true;
  x.kill();
  return x.waitUntil(isGone, limits.graceMs, signal);
}

/** Waits for work that may as well be left to itself. */
export async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  const stop = () => stopped.resolve();
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (!signal.aborted) await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

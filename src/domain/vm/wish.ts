/** What a wish comes to, in the light of everything that bears on it. */

import { nameActor } from "../access/name-actor.ts";
import type { VmDesired, VmObserved } from "./facts.ts";

/** Nobody wants the desktop up, or it may not be. */
export function wantsDown(desired: VmDesired): boolean {
  return desired.wish === "stopped" || desired.isDeleted || isOnlyHereUnwanted(desired);
}

/** The box wants it down, for a reason of its own: the wish stands, here or elsewhere. */
export function isOnlyHereUnwanted({
  isBoxStopping,
  drain,
}: Pick<VmDesired, "isBoxStopping" | "drain">): boolean {
  return isBoxStopping || (drain?.mode === "move" && drain.canLeave);
}

/** True while the desktop needs, or holds, one of the box's turns to start. */
export function needsTurn(desired: VmDesired, observed: VmObserved, nowMs: number): boolean {
  const { state, nextTryAtMs } = observed.report;
  // Its agent comes when there is time.
  if (state === "starting_2") return observed.earlySession?.isListening !== true;
  if (state !== "starting_1" || wantsDown(desired) || desired.image.kind !== "ready") return false;
  return nextTryAtMs === undefined || nowMs >= nextTryAtMs;
}

/** True while the desktop needs, or holds, one of the box's turns to stop; one that hangs holds up nobody. */
export function needsStopTurn(desired: VmDesired, observed: VmObserved): boolean {
  const { state } = observed.report;
  if (!observed.isAlive) return false;
  // When the whole box goes down there is nobody left to be slowed.
  if (state === "running") return wantsDown(desired) && !desired.isBoxStopping;
  return state === "stopping_1" || state === "stopping_2";
}

/** Why the desktop is being stopped, for its trail. */
export function stopReason(desired: VmDesired): string {
  if (desired.isDeleted) return "the desktop is being deleted";
  if (desired.isBoxStopping) return "the node is shutting down";
  if (desired.wish === "running" && isOnlyHereUnwanted(desired))
    return "its node is being drained, and it starts again on another";
  return wisherReason(desired.wishedBy);
}

/** Why the present wish was made; `wishedBy` as it is written down. */
export function wisherReason(wishedBy: string): string {
  return POLICY_REASONS[wishedBy] ?? `${nameActor(wishedBy)} asked for it`;
}

/** Wishes that no person made. */
const POLICY_REASONS: Readonly<Record<string, string>> = {
  "system:idle": "nobody is connected any more",
  "system:expired": "a newer image was published",
  "system:crashed": "it ended by itself and is to stay so",
};

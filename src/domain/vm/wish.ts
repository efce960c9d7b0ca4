/** What a wish comes to, in the light of everything that bears on it. */

import { nameActor } from "../access/name-actor.ts";
import type { VmDesired, VmObserved } from "./facts.ts";

/** Nobody wants the desktop up, or it may not be. */
export function wantsDown(desired: VmDesired): boolean {
  return desired.wish === "stopped" || desired.isDeleted || desired.isBoxStopping;
}

/** True while the desktop needs, or holds, one of the box's turns to start. */
export function needsTurn(desired: VmDesired, observed: VmObserved, nowMs: number): boolean {
  const { state, nextTryAtMs } = observed.report;
  if (state === "starting_2") return true;
  if (state !== "starting_1" || wantsDown(desired) || desired.image.kind !== "ready") return false;
  return nextTryAtMs === undefined || nowMs >= nextTryAtMs;
}

/** Why the desktop is being stopped, for its trail. */
export function stopReason(desired: VmDesired): string {
  if (desired.isDeleted) return "the desktop is being deleted";
  if (desired.isBoxStopping) return "the node is shutting down";
  return `${nameActor(desired.wishedBy)} asked for it`;
}

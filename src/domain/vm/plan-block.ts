/**
 * The end of patience with a desktop that keeps failing. Failures of its own are counted over all wishes, so
 * that people who ask again and again don't keep its box at it: it is blocked, with the reason, until a person
 * has looked.
 */

import type { VmFacts } from "./facts.ts";
import { step, type VmEventDraft, type VmStep } from "./steps.ts";

/** Drivers can be wordy; the whole of it is in the trail. */
const MOST_WHY = 140;

/** To come before the report that counts: a count at its bound without a block then means that a person lifted it. */
export function blockSteps(facts: VmFacts, crashes: number, why: string): readonly VmStep[] {
  if (!isKeptDown(facts, crashes)) return [];
  return [step("block", { reason: blockText(crashes, why) }, why)];
}

export function isKeptDown({ desired, limits }: VmFacts, crashes: number): boolean {
  return crashes >= limits.mostCrashes && desired.blockedReason === undefined;
}

export function blockedEvent(crashes: number, why: string): VmEventDraft {
  return {
    code: "desktop-blocked",
    text: `Blocked by its node: ${blockText(crashes, why)} Unblock it to have it tried again.`,
    detail: { crashes },
  };
}

function blockText(crashes: number, why: string): string {
  const short = why.length > MOST_WHY ? `${why.slice(0, MOST_WHY - 1)}…` : why;
  return `it failed ${crashes} times in a row, the last time like this: ${short}`;
}

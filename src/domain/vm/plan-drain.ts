/** A desktop whose node is being drained: what that means for it, and how it leaves. */

import type { Persistence } from "../image/persistence.ts";
import type { VmDesired, VmFacts, VmPlan } from "./facts.ts";
import { tearDown } from "./plan-stop.ts";
import { step } from "./steps.ts";

/** Why a desktop that can't leave isn't started while its node is drained. */
export const DRAINED_HERE =
  "Its node is being drained, and its home lies on that node's own disk, so it can't start on another. It can when the drain has ended.";

export type Drain = NonNullable<VmDesired["drain"]>;

/** Homes on a box's own disk can't follow their desktops. */
export function drainOf(about: {
  readonly mode: Drain["mode"] | null | undefined;
  /** The node has shared storage. */
  readonly isShared: boolean;
  readonly persistence: Persistence;
  /** A node has reported of it: so there may be a home. */
  readonly hasRun: boolean;
}): Drain | undefined {
  const { mode, isShared, persistence, hasRun } = about;
  if (mode === null || mode === undefined) return undefined;
  return { mode, canLeave: isShared || persistence === "nothing" || !hasRun };
}

/** Stopped, and free to go to another node. */
export function isLeaving({
  drain,
  isDeleted,
  isBoxStopping,
}: Pick<VmDesired, "drain" | "isDeleted" | "isBoxStopping">): boolean {
  return drain?.canLeave === true && !isDeleted && !isBoxStopping;
}

/** It is cleaned up first: whoever has it next must be the only one with anything of it. */
export function planLeaving(facts: VmFacts): VmPlan {
  const { desired, observed } = facts;
  const isUnseen = desired.wish === "stopped" && desired.generation > observed.report.generationSeen;
  const seen = { generationSeen: desired.generation, tries: 0, nextTryAtMs: null, fault: null };
  const text = "Its node is being drained, and nothing of the desktop is left there: it is free for another.";
  return tearDown(facts, [
    ...(isUnseen ? [step("report", seen, "the wish to be stopped is already true")] : []),
    step("release", { text }, "its node is being drained"),
  ]);
}

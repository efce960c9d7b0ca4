/**
 * A desktop that ended although nobody asked for it, and one that keeps doing so. Its restart counts as a try,
 * so that a desktop that always dies is not restarted for ever.
 */

import type { VmFacts, VmPlan } from "./facts.ts";
import { blockedEvent, blockSteps, isKeptDown } from "./plan-block.ts";
import { countTry } from "./plan-start.ts";
import { step, type VmEventDraft } from "./steps.ts";

const CRASHED = "The desktop ended although nobody asked for it.";

export function planCrashed(facts: VmFacts): VmPlan {
  const { desired, observed, nowMs, limits } = facts;
  const { report } = observed;
  const wasStable = nowMs - report.stateAtMs >= limits.stableAfterMs;
  const crashes = wasStable ? 1 : report.crashes + 1;
  if (desired.policy.onCrash === "leave") return planLeft(facts, crashes);
  const event: VmEventDraft = { code: "desktop-crashed", text: CRASHED };
  const tries = wasStable ? 1 : report.tries + 1;
  const counted = countTry(facts, tries, { event, why: CRASHED, crashes });
  return {
    steps: [
      ...blockSteps(facts, crashes, CRASHED),
      step("report", { ...counted, state: "stopping_2" }, CRASHED),
    ],
    wakeAtMs: undefined,
  };
}

/** Its wish first: were the node to end between the two, nobody would start it again. */
function planLeft(facts: VmFacts, crashes: number): VmPlan {
  const text = `${CRASHED} Its OS flavour says to leave it stopped.`;
  const { generation } = facts.desired;
  const event: VmEventDraft = { code: "desktop-crashed", text };
  const events = isKeptDown(facts, crashes) ? [event, blockedEvent(crashes, CRASHED)] : [event];
  return {
    steps: [
      ...blockSteps(facts, crashes, CRASHED),
      step("wish-stopped", { generation, cause: "crashed", text }, text),
      step("report", { state: "stopping_2", crashes, events }, text),
    ],
    wakeAtMs: undefined,
  };
}

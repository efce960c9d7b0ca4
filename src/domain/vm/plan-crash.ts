/**
 * A desktop that ended although nobody asked for it, and one that keeps doing so. Its restart counts as a try,
 * so that a desktop that always dies is not restarted for ever.
 */

import type { VmFacts, VmPlan } from "./facts.ts";
import { blockedEvent, blockSteps, isKeptDown } from "./plan-block.ts";
import { countTry } from "./plan-start.ts";
import { step, type VmEventDraft, type VmStep } from "./steps.ts";

const CRASHED = "The desktop ended although nobody asked for it.";

export function planCrashed(facts: VmFacts): VmPlan {
  return planFailed(facts, CRASHED);
}

/** Of a desktop that is no use any more, `why` in a sentence: what is left of it is taken down, then it is tried again. */
export function planFailed(facts: VmFacts, why: string): VmPlan {
  const { desired, observed, nowMs, limits } = facts;
  const { report } = observed;
  const wasStable = nowMs - report.stateAtMs >= limits.stableAfterMs;
  const crashes = wasStable ? 1 : report.crashes + 1;
  if (desired.policy.onCrash === "leave") return planLeft(facts, crashes, why);
  const event: VmEventDraft = { code: "desktop-crashed", text: why };
  const tries = wasStable ? 1 : report.tries + 1;
  const counted = countTry(facts, tries, { event, why, crashes });
  return {
    steps: [
      ...blockSteps(facts, crashes, why),
      step("report", { ...counted, state: "stopping_2" }, why),
      ...haltSteps(facts, why),
    ],
    wakeAtMs: undefined,
  };
}

/** Its wish first: were the node to end between the two, nobody would start it again. */
function planLeft(facts: VmFacts, crashes: number, why: string): VmPlan {
  const text = `${why} Its OS flavour says to leave it stopped.`;
  const { generation } = facts.desired;
  const event: VmEventDraft = { code: "desktop-crashed", text };
  const events = isKeptDown(facts, crashes) ? [event, blockedEvent(crashes, why)] : [event];
  return {
    steps: [
      ...blockSteps(facts, crashes, why),
      step("wish-stopped", { generation, cause: "crashed", text }, text),
      step("report", { state: "stopping_2", crashes, events }, text),
      ...haltSteps(facts, why),
    ],
    wakeAtMs: undefined,
  };
}

function haltSteps({ observed }: VmFacts, why: string): readonly VmStep[] {
  return observed.isAlive ? [step("halt", {}, why)] : [];
}

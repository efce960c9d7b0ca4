/** A desktop that runs: its health, its end, its power-off from inside, and, once all is well, the sitting of a client. */

import type { VmFacts, VmPlan } from "./facts.ts";
import { observeHealth } from "./health.ts";
import { planSession } from "./plan-session.ts";
import { countTry } from "./plan-start.ts";
import { stopSteps, tearDown } from "./plan-stop.ts";
import { step, type VmEventDraft, type VmReportPatch } from "./steps.ts";
import { stopReason } from "./wish.ts";

export function planRunning(facts: VmFacts, isWantedDown: boolean): VmPlan {
  const { desired, observed } = facts;
  const { agent } = observed;
  if (agent.isPoweringOff && !isWantedDown) return planPoweringOff(facts);
  if (!observed.isAlive) return isWantedDown ? planDown(facts) : planCrashed(facts);
  if (isWantedDown) return { steps: stopSteps(facts, stopReason(desired)), wakeAtMs: undefined };
  if (desired.generation > observed.report.generationSeen)
    return {
      steps: [
        step(
          "report",
          { generationSeen: desired.generation, tries: 0 },
          "the wish to be running is already true",
        ),
      ],
      wakeAtMs: undefined,
    };
  const health = observeHealth(facts);
  if (health.patch !== undefined)
    return { steps: [step("report", health.patch, health.reason)], wakeAtMs: undefined };
  const session = planSession(facts, desired.session);
  const wakes = [health.wakeAtMs, session.wakeAtMs].filter((at) => at !== undefined);
  return { steps: session.steps, wakeAtMs: wakes.length > 0 ? Math.min(...wakes) : undefined };
}

/** A power-off announced from inside is the desktop's own wish; its end is then no crash. */
export function planPoweringOff(facts: VmFacts): VmPlan {
  const { desired, observed } = facts;
  const announced: VmEventDraft = {
    code: "poweroff-announced",
    text: "Somebody inside the desktop powered it off.",
  };
  const wish = step("wish-stopped", { generation: desired.generation }, announced.text);
  if (observed.isAlive)
    return {
      steps: [wish, step("report", { state: "stopping_2", events: [announced] }, announced.text)],
      wakeAtMs: undefined,
    };
  const down = tearDown(facts, [stopped([announced], "it powered itself off")]);
  return { steps: [wish, ...down.steps], wakeAtMs: down.wakeAtMs };
}

function planDown(facts: VmFacts): VmPlan {
  const seen = facts.desired.isBoxStopping ? {} : { generationSeen: facts.desired.generation };
  return tearDown(facts, [
    stopped(
      [{ code: "desktop-ended", text: "The desktop has ended." }],
      "it ended and nobody wants it",
      seen,
    ),
  ]);
}

/** Its restart counts as a try, so that a desktop that always dies is not restarted for ever. */
function planCrashed(facts: VmFacts): VmPlan {
  const { observed, nowMs, limits } = facts;
  const { report } = observed;
  const wasStable = nowMs - report.stateAtMs >= limits.stableAfterMs;
  const tries = wasStable ? 1 : report.tries + 1;
  const event: VmEventDraft = {
    code: "desktop-crashed",
    text: "The desktop ended although nobody asked for it.",
  };
  return {
    steps: [
      step(
        "report",
        { ...countTry(facts, tries, { event, why: event.text }), state: "stopping_2" },
        event.text,
      ),
    ],
    wakeAtMs: undefined,
  };
}

function stopped(events: readonly VmEventDraft[], reason: string, more: VmReportPatch = {}) {
  const last: VmEventDraft = {
    code: "desktop-stopped",
    text: "The desktop is stopped; nothing of it is left running.",
  };
  return step(
    "report",
    {
      ...more,
      state: "stopped",
      hasAgent: false,
      xState: "none",
      events: [...events, last],
    },
    reason,
  );
}

/**
 * A desktop that runs: its health, its end, its power-off from inside, the sitting of a client, and, once
 * nobody needs it, what its OSF and its image say of its end.
 */

import type { VmFacts, VmPlan } from "./facts.ts";
import { observeHealth } from "./health.ts";
import { planAgentGone } from "./plan-agent-gone.ts";
import { planCrashed } from "./plan-crash.ts";
import { planExpiry } from "./plan-expiry.ts";
import { planIdle } from "./plan-idle.ts";
import { planStopQueued } from "./plan-queue.ts";
import { planSession } from "./plan-session.ts";
import { stopSteps, tearDown } from "./plan-stop.ts";
import { step, type VmEventDraft, type VmReportPatch } from "./steps.ts";
import { isOnlyHereUnwanted, stopReason } from "./wish.ts";

export function planRunning(facts: VmFacts, isWantedDown: boolean): VmPlan {
  const { desired, observed } = facts;
  const { agent } = observed;
  if (agent.isPoweringOff && !isWantedDown) return planPoweringOff(facts);
  if (!observed.isAlive) return isWantedDown ? planDown(facts) : planCrashed(facts);
  if (isWantedDown)
    return observed.stopQueuePosition > 0
      ? planStopQueued(facts)
      : { steps: stopSteps(facts, stopReason(desired)), wakeAtMs: undefined };
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
  const gone = planAgentGone(facts);
  if (gone.steps.length > 0) return gone;
  const session = planSession(facts, desired.session);
  const parts = [{ steps: [], wakeAtMs: health.wakeAtMs }, gone, session, planExpiry(facts), planIdle(facts)];
  const first = parts.find((part) => part.steps.length > 0);
  const wakes = parts.map((part) => part.wakeAtMs).filter((at) => at !== undefined);
  return { steps: first?.steps ?? [], wakeAtMs: wakes.length > 0 ? Math.min(...wakes) : undefined };
}

/** A power-off announced from inside is the desktop's own wish; its end is then no crash. */
export function planPoweringOff(facts: VmFacts): VmPlan {
  const { desired, observed } = facts;
  const announced: VmEventDraft = {
    code: "poweroff-announced",
    text: "Somebody inside the desktop powered it off.",
  };
  const { text } = announced;
  const wish = step("wish-stopped", { generation: desired.generation, cause: "powered-off", text }, text);
  if (observed.isAlive)
    return {
      steps: [wish, step("report", { state: "stopping_2", events: [announced] }, announced.text)],
      wakeAtMs: undefined,
    };
  const down = tearDown(facts, [stopped([announced], "it powered itself off")]);
  return { steps: [wish, ...down.steps], wakeAtMs: down.wakeAtMs };
}

function planDown(facts: VmFacts): VmPlan {
  const seen = isOnlyHereUnwanted(facts.desired) ? {} : { generationSeen: facts.desired.generation };
  return tearDown(facts, [
    stopped(
      [{ code: "desktop-ended", text: "The desktop has ended." }],
      "it ended and nobody wants it",
      seen,
    ),
  ]);
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

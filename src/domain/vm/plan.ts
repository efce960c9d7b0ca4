/**
 * What to do next about one desktop: compares what is wished with what is true and returns steps with their
 * reasons. Pure and total: the same facts give the same plan, and the plan of a settled desktop is empty.
 *
 * Steps run in their order until one fails; the failure is a fact of the next plan. So nothing here retries
 * and nothing in the executors decides. The states and their meaning stand in `state.ts`.
 */

import { assertNever } from "../../lib/errors.ts";
import type { VmDesired, VmFacts, VmLimits, VmObserved, VmPlan } from "./facts.ts";
import { isLeaving, planLeaving } from "./plan-drain.ts";
import { planPoweringOff, planRunning } from "./plan-running.ts";
import { failWaitingSession } from "./plan-session.ts";
import { planStarting, planStoppedButWished } from "./plan-start.ts";
import { planStopping, stopSteps, tearDown } from "./plan-stop.ts";
import { step, type VmStep } from "./steps.ts";
import { stopReason, wantsDown } from "./wish.ts";

export function planVm(
  desired: VmDesired,
  observed: VmObserved,
  time: { readonly nowMs: number; readonly limits: VmLimits },
): VmPlan {
  const facts: VmFacts = { desired, observed, ...time };
  const { state } = observed.report;
  switch (state) {
    case "stopped":
      return planStopped(facts);
    case "starting_1":
    case "starting_2":
      if (wantsDown(desired)) return planAbortedStart(facts);
      return observed.agent.isPoweringOff ? planPoweringOff(facts) : planStarting(facts);
    case "running":
      return planRunning(facts, wantsDown(desired));
    case "stopping_1":
    case "stopping_2":
    case "zombie_1":
    case "zombie_2":
      return planStopping(facts);
    default:
      return assertNever(state);
  }
}

function planStopped(facts: VmFacts): VmPlan {
  const { desired, observed } = facts;
  if (observed.isAlive) return planFound(facts);
  if (desired.isDeleted) return planDeletion(facts);
  if (isLeaving(desired)) return planLeaving(facts);
  if (desired.expiresSoftAtMs !== undefined || desired.expiresHardAtMs !== undefined)
    return only(step("clear-expiry", {}, "the next start takes the image as it is then"));
  if (!wantsDown(desired)) return planStoppedButWished(facts);
  if (observed.leftovers.length > 0) return tearDown(facts, []);
  // A wish for what is already true is only noted.
  if (!desired.isBoxStopping && desired.generation > observed.report.generationSeen)
    return only(
      step(
        "report",
        { generationSeen: desired.generation, tries: 0, nextTryAtMs: null, fault: null },
        "the wish to be stopped is already true",
      ),
    );
  return failWaitingSession(desired.session, `The desktop is stopped: ${stopReason(desired)}.`);
}

/** It runs although it was reported stopped: the node ended between a start and its report. */
function planFound(facts: VmFacts): VmPlan {
  const found = {
    code: "desktop-found" as const,
    text: "The node found the desktop running although it was noted as stopped.",
  };
  if (!wantsDown(facts.desired))
    return {
      steps: [
        step("report", { state: "starting_1", events: [found] }, "it runs, and somebody wants it"),
        step("report", { state: "starting_2" }, "it runs, its agent has not been heard yet"),
      ],
      wakeAtMs: undefined,
    };
  const event = {
    code: "halt-sent" as const,
    text: "Nobody wants it, so it is told from outside to shut down (a signal to its init, a machine's power button).",
  };
  return {
    steps: [
      step("report", { state: "stopping_2", events: [found, event] }, "it runs, and nobody wants it"),
      step("halt", {}, "it runs, and nobody wants it"),
    ],
    wakeAtMs: undefined,
  };
}

function planDeletion(facts: VmFacts): VmPlan {
  const last: VmStep[] = [
    step("retire-home", {}, "the home of a deleted desktop is set aside, never destroyed"),
    step("delete-row", {}, "nothing of the desktop is left on the box"),
  ];
  return tearDown(facts, last);
}

function planAbortedStart(facts: VmFacts): VmPlan {
  const { desired, observed } = facts;
  const reason = stopReason(desired);
  if (!observed.isAlive)
    return tearDown(facts, [
      step(
        "report",
        {
          state: "stopped",
          generationSeen: desired.generation,
          tries: 0,
          nextTryAtMs: null,
          hasAgent: false,
          xState: "none",
          fault: null,
          events: [{ code: "desktop-stopped", text: `The start was called off: ${reason}.` }],
        },
        `called off: ${reason}`,
      ),
    ]);
  return { steps: stopSteps(facts, reason), wakeAtMs: undefined };
}

function only(single: VmStep): VmPlan {
  return { steps: [single], wakeAtMs: undefined };
}

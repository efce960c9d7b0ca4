/**
 * The way down: ask the agent, signal init, signal the monitor, kill, and clean up what is left. Works from
 * any point of an unfinished start, since each step is safe when there is nothing to do.
 */

import { backoffMs } from "../../lib/backoff.ts";
import type { VmFacts, VmFailure, VmPlan } from "./facts.ts";
import { step, type VmStep } from "./steps.ts";
import { isOnlyHereUnwanted } from "./wish.ts";

const CLEAN_UP_BACKOFF = { firstMs: 2_000, mostMs: 60_000 };

const FROM_OUTSIDE =
  "the desktop is told from outside to shut down (a signal to its init, a machine's power button).";

const UNASKED = `No agent answers in it, so ${FROM_OUTSIDE}`;
const BY_BUTTON = "There is no agent in it, so the machine's power button is pressed.";

/** Takes a living desktop down: its agent is asked first, where it has one. */
export function stopSteps(facts: VmFacts, reason: string): readonly VmStep[] {
  const { desired, observed, limits } = facts;
  const seen = isOnlyHereUnwanted(desired)
    ? {}
    : { generationSeen: desired.generation, tries: 0, nextTryAtMs: null, fault: null };
  const taken = { code: "stop-taken" as const, text: `The desktop is being shut down: ${reason}.` };
  const { agent } = observed;
  if (!agent.isAttached || agent.isNone)
    return [
      step(
        "report",
        {
          ...seen,
          state: "stopping_2",
          events: [taken, { code: "halt-sent", text: agent.isNone ? BY_BUTTON : UNASKED }],
        },
        reason,
      ),
      step("halt", {}, `${reason}; it has no agent to ask`),
    ];
  return [
    step("report", { ...seen, state: "stopping_1", events: [taken] }, reason),
    step("ask-poweroff", { timeoutMs: limits.poweroffAnswerMs }, reason),
    step(
      "report",
      {
        state: "stopping_2",
        events: [
          { code: "poweroff-answered", text: "Its agent has the order; the desktop shuts itself down." },
        ],
      },
      "the agent has answered",
    ),
  ];
}

/** stopping_1 to zombie_2. */
export function planStopping(facts: VmFacts): VmPlan {
  const { observed, nowMs, limits } = facts;
  const { report, failure } = observed;
  if (!observed.isAlive) return planEnded(facts);
  const age = nowMs - report.stateAtMs;
  switch (report.state) {
    case "stopping_1":
      if (failure === undefined && age < limits.poweroffAnswerMs)
        return { steps: [], wakeAtMs: report.stateAtMs + limits.poweroffAnswerMs };
      return planHalt(failed(failure) ?? "Its agent did not answer in time.");
    case "stopping_2":
      if (failure === undefined && age < limits.goingDownMs)
        return { steps: [], wakeAtMs: report.stateAtMs + limits.goingDownMs };
      return planTerminate(
        failed(failure) ?? `It was not down after ${Math.round(limits.goingDownMs / 1000)} s.`,
      );
    case "zombie_1":
      if (failure === undefined && age < limits.terminateMs)
        return { steps: [], wakeAtMs: report.stateAtMs + limits.terminateMs };
      return planKill(failed(failure) ?? `It was not down after ${Math.round(limits.terminateMs / 1000)} s.`);
    default:
      return planKillAgain(facts);
  }
}

/** The beginning of a sentence pair; drivers' words end as they like. */
function failed(failure: VmFailure | undefined): string | undefined {
  if (failure === undefined) return undefined;
  return `That failed: ${failure.text.replace(/[.\s]+$/, "")}.`;
}

function planHalt(reason: string): VmPlan {
  return plain([
    step(
      "report",
      { state: "stopping_2", events: [{ code: "halt-sent", text: `${reason} So ${FROM_OUTSIDE}` }] },
      reason,
    ),
    step("halt", {}, reason),
  ]);
}

function planTerminate(reason: string): VmPlan {
  return plain([
    step(
      "report",
      {
        state: "zombie_1",
        hasAgent: false,
        events: [
          {
            code: "monitor-terminated",
            text: `${reason} It is being ended from outside (TERM to its monitor).`,
          },
        ],
      },
      reason,
    ),
    step("terminate", {}, reason),
  ]);
}

function planKill(reason: string): VmPlan {
  return plain([
    step(
      "report",
      {
        state: "zombie_2",
        events: [
          {
            code: "kill-sent",
            text: `${reason} All of it is ended by force (KILL); what was not saved in it is lost.`,
          },
        ],
      },
      reason,
    ),
    step("kill", {}, reason),
  ]);
}

/** KILL until the kernel says that nothing is left; processes that hang in the kernel take their time. */
function planKillAgain(facts: VmFacts): VmPlan {
  const { observed, nowMs, limits } = facts;
  const due = observed.killedAtMs === undefined ? nowMs : observed.killedAtMs + limits.killAgainMs;
  if (nowMs < due) return { steps: [], wakeAtMs: due };
  return plain([step("kill", {}, "a process of the desktop is still there")]);
}

function planEnded(facts: VmFacts): VmPlan {
  return tearDown(facts, [
    step(
      "report",
      {
        state: "stopped",
        hasAgent: false,
        xState: "none",
        events: [{ code: "desktop-stopped", text: "The desktop is stopped; nothing of it is left running." }],
      },
      "nothing of it runs",
    ),
  ]);
}

/** Cleans up what a dead desktop left, then does `after`; a clean-up that failed is tried again, backed off. */
export function tearDown(facts: VmFacts, after: readonly VmStep[]): VmPlan {
  const { observed, nowMs } = facts;
  if (observed.leftovers.length === 0) return plain(after);
  const { failure, cleanUpFailedAtMs } = observed;
  const clean = step("clean-up", {}, `left behind: ${observed.leftovers.slice(0, 4).join(", ")}`);
  if (cleanUpFailedAtMs === undefined) return plain([clean, ...after]);
  const due = cleanUpFailedAtMs + backoffMs(observed.cleanUpFailures, CLEAN_UP_BACKOFF);
  if (nowMs >= due) return plain([clean, ...after]);
  const isNews = failure?.action === "clean-up" && failure.text !== observed.report.fault?.text;
  if (!isNews) return { steps: [], wakeAtMs: due };
  return {
    steps: [
      step(
        "report",
        {
          fault: { code: "clean-up-failed", text: failure.text },
          events: [
            {
              code: "clean-up-failed",
              text: `What is left of the stopped desktop could not be removed; it is tried again: ${failure.text}`,
            },
          ],
        },
        failure.text,
      ),
    ],
    wakeAtMs: due,
  };
}

function plain(steps: readonly VmStep[]): VmPlan {
  return { steps, wakeAtMs: undefined };
}

/** When the news of a running desktop are worth a report: its agent lost or back, its X session's state. */

import type { VmFacts } from "./facts.ts";
import type { VmEventDraft, VmReportPatch } from "./steps.ts";

export type Health = {
  readonly patch: VmReportPatch | undefined;
  readonly reason: string;
  readonly wakeAtMs: number | undefined;
};

export function observeHealth(facts: VmFacts): Health {
  const { agent, report } = facts.observed;
  const lost = lostAgent(facts);
  if (lost.patch !== undefined) return lost;
  if (agent.isAttached && !report.hasAgent)
    return {
      patch: {
        hasAgent: true,
        xState: agent.xState,
        fault: null,
        events: [{ code: "agent-connected", text: "The agent answers again." }],
      },
      reason: "its agent answers again",
      wakeAtMs: undefined,
    };
  if (agent.isAttached && agent.xState !== report.xState)
    return {
      patch: { xState: agent.xState, events: xStateEvents(report.xState, agent.xState) },
      reason: `its X session is ${agent.xState}`,
      wakeAtMs: lost.wakeAtMs,
    };
  return { patch: undefined, reason: "", wakeAtMs: lost.wakeAtMs };
}

/** An agent that restarts is away for a moment; only one that stays away is news. Its desktop runs on. */
function lostAgent({ observed, nowMs, limits }: VmFacts): Health {
  const { agent, report } = observed;
  const quiet = { patch: undefined, reason: "", wakeAtMs: undefined };
  if (agent.isAttached || !report.hasAgent) return quiet;
  const due = (agent.changedAtMs ?? report.stateAtMs) + limits.agentLostAfterMs;
  if (nowMs < due) return { ...quiet, wakeAtMs: due };
  const text =
    "The agent inside the desktop no longer answers. Who is connected can go on; nobody can connect until it answers.";
  return {
    patch: {
      hasAgent: false,
      fault: { code: "agent-lost", text },
      events: [{ code: "agent-lost", text }],
    },
    reason: "its agent no longer answers",
    wakeAtMs: undefined,
  };
}

function xStateEvents(from: string, to: string): readonly VmEventDraft[] {
  if (to === "suspended" && from !== "none")
    return [
      { code: "session-suspended", text: "The client is gone; the session is kept, and its programs go on." },
    ];
  return [];
}

/**
 * When the news of a running desktop are worth a report: its agent lost or back, its network broken or right
 * again, its X session's state. A desktop that is ill runs on: what is told is what nobody can do meanwhile.
 */

import type { VmFacts, VmNetwork, VmObserved } from "./facts.ts";
import { isOccupied } from "./plan-idle.ts";
import type { VmEventDraft, VmFault, VmReportPatch } from "./steps.ts";

export type Health = {
  readonly patch: VmReportPatch | undefined;
  readonly reason: string;
  readonly wakeAtMs: number | undefined;
};

const AGENT_LOST: VmFault = {
  code: "agent-lost",
  text: "The agent inside the desktop no longer answers. Who is connected can go on; nobody can connect until it answers.",
};

export const NETWORK_RESTORED: VmEventDraft = {
  code: "health-restored",
  text: "The desktop's network is right again.",
};

export function observeHealth(facts: VmFacts): Health {
  const { agent, report, network } = facts.observed;
  const lost = lostAgent(facts);
  if (lost.patch !== undefined) return lost;
  if (agent.isAttached && !report.hasAgent)
    return {
      patch: {
        hasAgent: true,
        xState: agent.xState,
        fault: remainingFault(facts.observed, { hasAgent: true }),
        events: [{ code: "agent-connected", text: "The agent answers again." }],
      },
      reason: "its agent answers again",
      wakeAtMs: undefined,
    };
  if (network?.isOk === false && report.hasNetwork !== false)
    return { patch: networkBroken(network), reason: "its network is broken", wakeAtMs: undefined };
  if (network?.isOk === true && report.hasNetwork !== true) return networkBack(facts);
  if (agent.isAttached && agent.xState !== report.xState)
    return {
      patch: {
        xState: agent.xState,
        // A visit may be too short to be seen otherwise: who leaves is seen to leave now.
        idleSinceMs: isOccupied(facts) ? null : facts.nowMs,
        events: xStateEvents(report.xState, agent.xState),
      },
      reason: `its X session is ${agent.xState}`,
      wakeAtMs: lost.wakeAtMs,
    };
  return stableAgain(facts, lost);
}

export function networkBroken(network: Extract<VmNetwork, { isOk: false }>): VmReportPatch {
  const text = `The desktop's network is broken: ${network.text}`;
  return {
    hasNetwork: false,
    fault: { code: "network-broken", text },
    events: [{ code: "health-fault", text, detail: { check: "network", code: network.code } }],
  };
}

/** The first good check is noted and no news. */
function networkBack({ observed }: VmFacts): Health {
  const wasBroken = observed.report.hasNetwork === false;
  return {
    patch: {
      hasNetwork: true,
      ...(wasBroken
        ? { fault: remainingFault(observed, { hasNetwork: true }), events: [NETWORK_RESTORED] }
        : {}),
    },
    reason: "its network is right",
    wakeAtMs: undefined,
  };
}

/** There is one fault at a time to show; when it is over, another may stand. */
function remainingFault(
  { report, network }: VmObserved,
  now: { readonly hasAgent?: true; readonly hasNetwork?: true },
): VmFault | null {
  if (now.hasNetwork === undefined && network?.isOk === false) return networkBroken(network).fault ?? null;
  return now.hasAgent === undefined && !report.hasAgent ? AGENT_LOST : null;
}

/** An agent that restarts is away for a moment; only one that stays away is news. Its desktop runs on. */
function lostAgent({ observed, nowMs, limits }: VmFacts): Health {
  const { agent, report } = observed;
  const quiet = { patch: undefined, reason: "", wakeAtMs: undefined };
  if (agent.isAttached || !report.hasAgent) return quiet;
  const due = (agent.changedAtMs ?? report.stateAtMs) + limits.agentLostAfterMs;
  if (nowMs < due) return { ...quiet, wakeAtMs: due };
  return {
    patch: {
      hasAgent: false,
      fault: AGENT_LOST,
      events: [{ code: "agent-lost", text: AGENT_LOST.text }],
    },
    reason: "its agent no longer answers",
    wakeAtMs: undefined,
  };
}

/** It has run long enough: earlier failures no longer count against it. */
function stableAgain({ observed, nowMs, limits }: VmFacts, lost: Health): Health {
  const { report } = observed;
  if (report.crashes === 0) return lost;
  const due = report.stateAtMs + limits.stableAfterMs;
  if (nowMs >= due)
    return { patch: { crashes: 0 }, reason: "it has run long enough", wakeAtMs: lost.wakeAtMs };
  return { ...lost, wakeAtMs: lost.wakeAtMs === undefined ? due : Math.min(due, lost.wakeAtMs) };
}

function xStateEvents(from: string, to: string): readonly VmEventDraft[] {
  // A session that a browser begins is suspended as soon as it is up.
  const isNew = from === "none" || from === "starting";
  if (to === "suspended" && !isNew)
    return [
      { code: "session-suspended", text: "The client is gone; the session is kept, and its programs go on." },
    ];
  return [];
}

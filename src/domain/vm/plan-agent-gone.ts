/**
 * A desktop that runs while its agent stays silent serves nobody new: it is restarted, as one that has crashed. QVD 4
 * does so after the same time (its VMA monitor's `max_time.on.running`). Whoever is connected can go on, so nothing is
 * done before they leave, by a session or at a machine's console; and a restart that doesn't help counts towards the desktop's block. Where most agents of a box
 * are silent, restarts would take many people's work for a fault that isn't their desktops'.
 */

import type { VmFacts, VmPlan } from "./facts.ts";
import { formatSpan } from "./format-span.ts";
import { planFailed } from "./plan-crash.ts";

export function planAgentGone(facts: VmFacts): VmPlan {
  const { desired, observed, nowMs, limits } = facts;
  const { agent, report } = observed;
  // A desktop runs by its agent's word: without one it was reported lost since.
  const isLost = !report.hasAgent && !agent.isAttached;
  const isServing = desired.session?.state === "listening";
  if (!isLost || agent.isNone === true || agent.changedAtMs === undefined || isServing) return NOTHING;
  const due = agent.changedAtMs + limits.agentGoneAfterMs;
  if (nowMs < due) return { steps: [], wakeAtMs: due };
  if (agent.areOthersSilent === true || agent.isAtConsole === true)
    return { steps: [], wakeAtMs: nowMs + limits.agentLostAfterMs };
  const silent = formatSpan(limits.agentGoneAfterMs);
  return planFailed(facts, `The agent inside has been silent for ${silent}, and nobody is connected.`);
}

const NOTHING: VmPlan = { steps: [], wakeAtMs: undefined };

/** Since when nobody sits at a running desktop, and its stop when its OSF says so. */

import type { VmFacts, VmPlan } from "./facts.ts";
import { formatSpan } from "./format-span.ts";
import { step } from "./steps.ts";

/** Of a desktop that runs and has no client to serve. */
export function planIdle(facts: VmFacts): VmPlan {
  const { desired, observed, nowMs } = facts;
  const { report } = observed;
  // Who sits at the console of a machine without our agent, nobody can tell.
  if (observed.agent.isNone === true) return NOTHING;
  if (isOccupied(facts))
    return report.idleSinceMs === undefined
      ? NOTHING
      : only(step("report", { idleSinceMs: null }, "somebody is connected"));
  if (report.idleSinceMs === undefined)
    return only(step("report", { idleSinceMs: nowMs }, "nobody is connected any more"));
  const due = idleStopAt(facts, report.idleSinceMs);
  if (due === undefined) return NOTHING;
  if (nowMs < due) return { steps: [], wakeAtMs: due };
  const after = desired.policy.idleStopMs ?? 0;
  const since =
    observed.wasVisited || after > 0 ? `for ${formatSpan(nowMs - report.idleSinceMs)}` : "any more";
  const text = `Nobody has been connected ${since}; its OS flavour stops such desktops${
    after === 0 ? " at once" : ` after ${formatSpan(after)}`
  }.`;
  return only(step("wish-stopped", { generation: desired.generation, cause: "idle", text }, text));
}

/** Who asked for a session may be on the way; its end is told by the broker, by nxagent, or by both. */
export function isOccupied({ desired, observed }: VmFacts): boolean {
  return (
    desired.session !== undefined || (observed.agent.isAttached && observed.agent.xState === "connected")
  );
}

function idleStopAt({ desired, observed, limits }: VmFacts, sinceMs: number): number | undefined {
  const { idleStopMs } = desired.policy;
  if (idleStopMs === undefined) return undefined;
  const wasVisited = observed.wasVisited || observed.agent.xState !== "none";
  return sinceMs + idleTimeMs(idleStopMs, { wasVisited, unvisitedMs: limits.unvisitedMs });
}

/** Started by hand and not entered yet, it isn't taken away from whoever is on the way. */
export function idleTimeMs(
  idleStopMs: number,
  { wasVisited, unvisitedMs }: { readonly wasVisited: boolean; readonly unvisitedMs: number },
): number {
  return wasVisited ? idleStopMs : Math.max(idleStopMs, unvisitedMs);
}

const NOTHING: VmPlan = { steps: [], wakeAtMs: undefined };

function only(single: VmPlan["steps"][number]): VmPlan {
  return { steps: [single], wakeAtMs: undefined };
}

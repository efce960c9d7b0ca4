import type { VmReport } from "./facts.ts";
import { changeState } from "./state.ts";
import type { VmReportPatch } from "./steps.ts";

/** What is known of a desktop once `patch` is; refuses an illegal change of state. */
export function applyReport(report: VmReport, patch: VmReportPatch, nowMs: number): VmReport {
  const state = changeState(report.state, patch.state ?? report.state);
  const kept = state === report.state ? report : endState(report, state);
  return {
    state,
    stateAtMs: state === report.state ? report.stateAtMs : nowMs,
    generationSeen: patch.generationSeen ?? report.generationSeen,
    tries: patch.tries ?? report.tries,
    nextTryAtMs: orKept(patch.nextTryAtMs, report.nextTryAtMs),
    diId: orKept(patch.diId, report.diId),
    hasAgent: patch.hasAgent ?? report.hasAgent,
    xState: patch.xState ?? report.xState,
    fault: orKept(patch.fault, report.fault),
    hasNetwork: patch.hasNetwork ?? kept.hasNetwork,
    crashes: patch.crashes ?? report.crashes,
    idleSinceMs: orKept(patch.idleSinceMs, kept.idleSinceMs),
    incarnation: patch.incarnation ?? report.incarnation,
    queuePosition: orKept(patch.queuePosition, kept.queuePosition),
    queueDueAtMs: orKept(patch.queueDueAtMs, kept.queueDueAtMs),
  };
}

/** What belongs to a state ends with it: the place in a queue, and what only a running desktop has. */
function endState(report: VmReport, next: VmReport["state"]): VmReport {
  const isUp = next === "starting_2" || next === "running";
  return {
    ...report,
    hasNetwork: isUp ? report.hasNetwork : undefined,
    idleSinceMs: undefined,
    queuePosition: undefined,
    queueDueAtMs: undefined,
  };
}

/** Null empties, undefined keeps. */
function orKept<Value>(given: Value | null | undefined, kept: Value | undefined): Value | undefined {
  return given === undefined ? kept : (given ?? undefined);
}

/** Facts of a desktop for the planner's tests: a settled one, changed where the test says so. */

import { asId, type DiId, type SessionId } from "../../src/domain/ids.ts";
import {
  DEFAULT_POLICY,
  NEVER_REPORTED,
  VM_LIMITS,
  type VmAgent,
  type VmDesired,
  type VmObserved,
  type VmPlan,
  type VmReport,
  type VmSession,
} from "../../src/domain/vm/facts.ts";
import { planVm } from "../../src/domain/vm/plan.ts";

export const NOW_MS = 1_000_000;
export const DI = asId<DiId>(7);

export type Given = {
  readonly wished?: Partial<VmDesired>;
  readonly report?: Partial<VmReport>;
  readonly agent?: Partial<VmAgent>;
  readonly seen?: Partial<Omit<VmObserved, "report" | "agent">>;
};

/** Wished as it was when its last report was written; alive and with an agent where its state says so. */
export function factsOf(given: Given): { readonly desired: VmDesired; readonly observed: VmObserved } {
  const isIdle = given.report?.state === "running" && given.wished?.session === undefined;
  const report: VmReport = {
    ...NEVER_REPORTED,
    generationSeen: 1,
    stateAtMs: NOW_MS,
    idleSinceMs: isIdle ? NOW_MS : undefined,
    ...given.report,
  };
  const isUp = !["stopped", "starting_1"].includes(report.state);
  return {
    desired: {
      wish: ["starting_1", "starting_2", "running"].includes(report.state) ? "running" : "stopped",
      generation: 1,
      wishedBy: "user:anna@acme",
      blockedReason: undefined,
      isDeleted: false,
      isBoxStopping: false,
      image: { kind: "ready", diId: DI, isUnpacked: true },
      session: undefined,
      policy: DEFAULT_POLICY,
      expiresSoftAtMs: undefined,
      expiresHardAtMs: undefined,
      ...given.wished,
    },
    observed: {
      report: { ...report, hasAgent: given.report?.hasAgent ?? report.state === "running" },
      isAlive: isUp,
      leftovers: isUp ? ["/vms/1/root"] : [],
      agent: {
        isAttached: report.state === "running",
        changedAtMs: undefined,
        xState: report.xState,
        isPoweringOff: false,
        ...given.agent,
      },
      failure: undefined,
      queuePosition: 0,
      queueDueAtMs: undefined,
      stopQueuePosition: 0,
      network: undefined,
      wasVisited: false,
      wasExpiryTold: false,
      killedAtMs: undefined,
      cleanUpFailures: 0,
      cleanUpFailedAtMs: undefined,
      hasLease: true,
      ...given.seen,
    },
  };
}

export function planOf(given: Given): VmPlan {
  const { desired, observed } = factsOf(given);
  return planVm(desired, observed, { nowMs: NOW_MS, limits: VM_LIMITS });
}

/** A plan in short: `report starting_1: start-taken`, `halt`. */
export function formatPlan(plan: VmPlan): readonly string[] {
  return plan.steps.map((step) => {
    if (step.action === "report") {
      const codes = (step.args.events ?? []).map((event) => event.code);
      const what = [step.args.state, ...codes].filter((word) => word !== undefined).join(" ");
      return `report ${what}`.trim();
    }
    if (step.action === "report-session") return `report-session ${step.args.state}`;
    return step.action;
  });
}

export function sessionOf(given: Partial<VmSession> = {}): VmSession {
  return { id: asId<SessionId>(31), state: "requested", requestedAtMs: NOW_MS, ...given };
}

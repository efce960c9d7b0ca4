/** What is known of a desktop once its plan is carried out: the fields that the next plan, pages and clients go by. */

import { describe, expect, test } from "bun:test";
import { DI, factsOf, type Given, NOW_MS } from "../../../test/support/vm-facts.ts";
import { DEAD, FAILED, WISHED_RUNNING, WISHED_STOPPED } from "../../../test/support/vm-plan-table.ts";
import { applyReport } from "./apply-report.ts";
import { VM_LIMITS, type VmReport } from "./facts.ts";
import { planVm } from "./plan.ts";

const FAULT = { code: "start-given-up", text: "an old reason" } as const;
/** What a troubled past has left. */
const TROUBLED = { tries: 2, nextTryAtMs: NOW_MS + 9_000, fault: FAULT } as const;
const AFRESH = { tries: 0, nextTryAtMs: undefined, fault: undefined } as const;
const GONE = { hasAgent: false, xState: "none" } as const;
/** As its agent said before it ended. */
const LIVELY = { hasAgent: true, xState: "connected" } as const;

function after(given: Given): VmReport {
  const { desired, observed } = factsOf(given);
  const { steps } = planVm(desired, observed, { nowMs: NOW_MS, limits: VM_LIMITS });
  return steps.reduce(
    (report, step) => (step.action === "report" ? applyReport(report, step.args, NOW_MS) : report),
    observed.report,
  );
}

function known(name: string, cases: readonly [rule: string, given: Given, then: Partial<VmReport>][]): void {
  describe(name, () => {
    for (const [rule, given, then] of cases) test(rule, () => expect(after(given)).toMatchObject(then));
  });
}

known("a new wish is noted, and forgets the past,", [
  [
    "when it wants a stopped desktop up",
    { wished: WISHED_RUNNING, report: TROUBLED },
    { state: "starting_1", generationSeen: 2, ...AFRESH },
  ],
  [
    "when it wants a stopped desktop down",
    { wished: WISHED_STOPPED, report: TROUBLED },
    { state: "stopped", generationSeen: 2, ...AFRESH },
  ],
  [
    "when it comes during a start",
    { wished: WISHED_RUNNING, report: { state: "starting_1", ...TROUBLED } },
    { state: "starting_1", generationSeen: 2, ...AFRESH },
  ],
  [
    "when it wants up what runs",
    { wished: WISHED_RUNNING, report: { state: "running", tries: 2 } },
    { state: "running", generationSeen: 2, tries: 0 },
  ],
  [
    "when it takes a running desktop down",
    { wished: WISHED_STOPPED, report: { state: "running", ...TROUBLED } },
    { state: "stopping_2", generationSeen: 2, ...AFRESH },
  ],
  [
    "when it takes one down that has no agent to ask",
    { wished: WISHED_STOPPED, report: { state: "running", ...TROUBLED }, agent: { isAttached: false } },
    { state: "stopping_2", generationSeen: 2, ...AFRESH },
  ],
  [
    "when it calls a start off",
    { wished: WISHED_STOPPED, report: { state: "starting_1", ...TROUBLED } },
    { state: "stopped", generationSeen: 2, ...AFRESH },
  ],
]);

known("the same wish remembers", [
  [
    "its tries when it is taken up again",
    { wished: { wish: "running" }, report: { tries: 2, fault: FAULT } },
    { state: "starting_1", tries: 2, fault: FAULT },
  ],
  [
    "its tries while the box goes down",
    { wished: { isBoxStopping: true }, report: { state: "running", tries: 2, fault: FAULT } },
    { state: "stopping_2", generationSeen: 1, tries: 2, fault: FAULT },
  ],
]);

known("a try that failed", [
  [
    "is counted for the wish that was seen, though a newer one is there",
    {
      wished: WISHED_RUNNING,
      report: { state: "starting_1", tries: 1 },
      seen: { failure: { ...FAILED, action: "start-container" } },
    },
    {
      tries: 2,
      generationSeen: 2,
      nextTryAtMs: NOW_MS + 4_000,
      fault: { code: "start-failed", text: FAILED.text },
    },
  ],
  [
    "for the last time has no next one",
    { report: { state: "starting_2", tries: 2, nextTryAtMs: NOW_MS }, seen: DEAD },
    { state: "stopping_2", tries: 3, nextTryAtMs: undefined },
  ],
  [
    "is forgotten by the one that works",
    { report: { state: "starting_2", ...TROUBLED }, agent: { isAttached: true, xState: "none" } },
    { state: "running", hasAgent: true, xState: "none", nextTryAtMs: undefined, fault: undefined, tries: 2 },
  ],
]);

known("a desktop that is over has neither agent nor X session,", [
  ["after a stop", { report: { state: "stopping_2", ...LIVELY }, seen: DEAD }, { state: "stopped", ...GONE }],
  ["after a KILL", { report: { state: "zombie_2", ...LIVELY }, seen: DEAD }, { state: "stopped", ...GONE }],
  [
    "when it ended while it was to be stopped",
    { wished: WISHED_STOPPED, report: { state: "running", ...LIVELY }, seen: DEAD },
    { state: "stopped", generationSeen: 2, ...GONE },
  ],
  [
    "when it powered itself off",
    { report: { state: "running", ...LIVELY }, agent: { isPoweringOff: true }, seen: DEAD },
    { state: "stopped", ...GONE },
  ],
  [
    "when its start was called off and it ended",
    { wished: WISHED_STOPPED, report: { state: "starting_2", ...LIVELY }, seen: DEAD },
    { state: "stopped", ...GONE },
  ],
  [
    "as soon as its monitor has to be ended",
    { report: { state: "stopping_2", hasAgent: true, stateAtMs: NOW_MS - VM_LIMITS.goingDownMs } },
    { state: "zombie_1", hasAgent: false },
  ],
]);

known("the image that a desktop runs on", [
  [
    "is known once its disks stand on it",
    { report: { state: "starting_1" } },
    { state: "starting_2", diId: DI },
  ],
  ["is kept after its end", { report: { state: "stopping_2", diId: DI }, seen: DEAD }, { diId: DI }],
]);

known("a clean-up that fails", [
  [
    "is known with the words of what failed, which tell it from the next failure",
    {
      report: { state: "stopping_2" },
      seen: {
        ...DEAD,
        failure: { ...FAILED, action: "clean-up" },
        cleanUpFailures: 1,
        cleanUpFailedAtMs: NOW_MS,
      },
    },
    { state: "stopping_2", fault: { code: "clean-up-failed", text: FAILED.text } },
  ],
]);

/**
 * A start whose home another box still holds, as after a take-over from a box that is only paused. That is no
 * failure of the desktop's: it waits, however long, and its tries don't count.
 */

import type { VmFacts, VmFailure, VmPlan, VmReport } from "./facts.ts";
import { step } from "./steps.ts";

const AGAIN_MS = 2_000;
const FAULT_CODE = "disk-held";

export function isHeldDisk(failure: VmFailure): boolean {
  return failure.action === "prepare-disks" && failure.code === "conflict";
}

/** It was told so at its last try. */
export function hasWaitedForDisk(report: VmReport): boolean {
  return report.fault?.code === FAULT_CODE;
}

export function waitForDisk({ observed, nowMs }: VmFacts, failure: VmFailure): VmPlan {
  const isTold = hasWaitedForDisk(observed.report);
  const text = `Its home is still held elsewhere, so the start waits: ${failure.text}`;
  const events = isTold ? [] : [{ code: "start-retry-planned" as const, text }];
  const patch = { nextTryAtMs: nowMs + AGAIN_MS, fault: { code: FAULT_CODE, text }, events };
  return { steps: [step("report", patch, "another box holds its home")], wakeAtMs: undefined };
}

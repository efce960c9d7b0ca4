/** What the node process remembers of a desktop between two passes. All of it may be lost with the process. */

import type { NodeDesktop } from "../db/queries/node-desktops.ts";
import type { DiId, VmId } from "../domain/ids.ts";
import type { VmFailure, VmNetwork, VmReport } from "../domain/vm/facts.ts";
import { NEVER_REPORTED } from "../domain/vm/facts.ts";
import type { VmAction } from "../domain/vm/steps.ts";

export type VmMemory = {
  desktop: NodeDesktop;
  /** When that was read, and since when it isn't known to be the same still. */
  readAtMs: number;
  confirmedAtMs: number;
  /** As last written or read; moments by the monotonic clock. */
  report: VmReport;
  failure: VmFailure | undefined;
  killedAtMs: number | undefined;
  cleanUpFailures: number;
  cleanUpFailedAtMs: number | undefined;
  agentChangedAtMs: number | undefined;
  isPoweringOff: boolean;
  wasVisited: boolean;
  wasExpiryTold: boolean;
  /** As last checked, and when. */
  network:
    | { readonly atMs: number; readonly seen: VmNetwork | undefined; readonly isDoubtful: boolean }
    | undefined;
  /** Its way to the box, from its first look in this life on; `tries` are those in a row that had something to do. */
  way: { dueAtMs: number; tries: number; isTroubleTold: boolean } | undefined;
  /** What is being done to it now; one thing at a time. */
  running: { action: VmAction; readonly abort: AbortController } | undefined;
  /** The pass in which its last steps ended: what that pass had read by then is out of date. */
  movedInPass: number;
  /** Calls off the look that the last plan asked for. */
  callOff: (() => void) | undefined;
};

export function newMemory(desktop: NodeDesktop, nowMs: number): VmMemory {
  return {
    desktop,
    readAtMs: nowMs,
    confirmedAtMs: nowMs,
    report: readReport(desktop, nowMs),
    failure: undefined,
    killedAtMs: undefined,
    cleanUpFailures: 0,
    cleanUpFailedAtMs: undefined,
    // An agent that hasn't come back to this process yet may still do so.
    agentChangedAtMs: desktop.report?.state === "running" ? nowMs : undefined,
    isPoweringOff: false,
    wasVisited: false,
    wasExpiryTold: false,
    network: undefined,
    way: undefined,
    running: undefined,
    movedInPass: 0,
    callOff: undefined,
  };
}

/** The stored report with its ages turned into moments of our own clock, so that two clocks never meet. */
export function readReport(desktop: NodeDesktop, nowMs: number): VmReport {
  const stored = desktop.report;
  if (stored === null) return NEVER_REPORTED;
  return {
    state: stored.state,
    stateAtMs: nowMs - stored.stateAgeMs,
    generationSeen: stored.generationSeen,
    tries: stored.tries,
    nextTryAtMs: stored.nextTryInMs === null ? undefined : nowMs + stored.nextTryInMs,
    diId: stored.diId ?? undefined,
    hasAgent: stored.hasAgent,
    xState: stored.xState,
    fault: stored.faultCode === null ? undefined : { code: stored.faultCode, text: stored.faultText ?? "" },
    hasNetwork: stored.hasNetwork ?? undefined,
    crashes: stored.crashes,
    idleSinceMs: stored.idleAgeMs === null ? undefined : nowMs - stored.idleAgeMs,
    incarnation: stored.incarnation,
    queuePosition: stored.queuePosition ?? undefined,
    queueDueAtMs: stored.queueDueInMs === null ? undefined : nowMs + stored.queueDueInMs,
  };
}

/** Whether something is being done to any of them. */
export function isAtWork(memories: ReadonlyMap<VmId, Pick<VmMemory, "running">>): boolean {
  for (const { running } of memories.values()) if (running !== undefined) return true;
  return false;
}

/** Images that something of a desktop may stand on now: what it runs on, and what it may just be started from. */
export function listUsedImages(
  memories: Iterable<Pick<VmMemory, "desktop" | "report" | "running">>,
): ReadonlySet<DiId> {
  const used = new Set<DiId>();
  for (const { desktop, report, running } of memories) {
    if (report.state === "stopped" && running === undefined) continue;
    for (const diId of [report.diId, desktop.image?.id]) if (diId !== undefined) used.add(diId);
  }
  return used;
}

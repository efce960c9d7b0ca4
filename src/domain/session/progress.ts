/**
 * The protocol's texts for a client that waits (`X-QVD-VM-Info`), from what is recorded and what the trail says
 * happens. Their wording is the interface (the original servers', as traced); each is sent only where it is true.
 */

import type { VmId } from "../ids.ts";
import type { VmEventCode } from "../vm/event.ts";

/** What the request itself came upon. */
export type RequestFacts = {
  /** Somebody was sitting there, whose session this one takes over. */
  readonly hasTakenOver: boolean;
  /** A node has the desktop. */
  readonly isPlaced: boolean;
};

export function requestTexts(vmId: VmId, { hasTakenOver, isPlaced }: RequestFacts): readonly string[] {
  return [
    ...(hasTakenOver ? [`Aborting contending session for VM_ID: ${vmId}`] : []),
    `Session acquired for VM_ID: ${vmId}`,
    ...(isPlaced ? [] : [`Assigning VM ${vmId} to host`]),
  ];
}

/** What follows in the trail. */
export function progressTexts(code: VmEventCode, vmId: VmId): readonly string[] {
  switch (code) {
    case "start-taken":
      return ["Starting virtual machine"];
    case "session-preparing":
      // The order leaves in the same moment as the agent is waited for.
      return [`Starting X session at VM ${vmId}`, waitingForSession(vmId)];
    case "session-listening":
      return [`Connecting X session for VM_ID: ${vmId}`];
    default:
      return [];
  }
}

/** Where a desktop stands in its node's queue of starts. */
export type QueuePlace = {
  readonly position: number;
  /** Until its turn comes, as its node reckons; undefined while it can't. */
  readonly dueInMs: number | undefined;
};

/** What is said now and then while nothing new happens. */
export function waitingText(
  vmId: VmId,
  now: { readonly isRunning: boolean; readonly queue: QueuePlace | undefined },
): string {
  if (now.isRunning) return waitingForSession(vmId);
  return `Waiting for VM to reach state 'running'${now.queue === undefined ? "" : queueText(now.queue)}`;
}

function waitingForSession(vmId: VmId): string {
  return `Waiting for X session to come up on VM ${vmId}`;
}

function queueText({ position, dueInMs }: QueuePlace): string {
  const place = `: number ${position} in the queue`;
  if (dueInMs === undefined) return place;
  // Its turn should have come: nothing better is known than that it is near.
  const seconds = Math.max(1, Math.round(dueInMs / 1000));
  return `${place}, about ${seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
}

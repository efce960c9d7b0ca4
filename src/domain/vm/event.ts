/**
 * The codes of a desktop's trail (`vm_events`). Each row carries its own sentence; the code is what programs
 * go by: the broker maps codes to the protocol's progress texts, the admin tool to colours.
 */

export const VM_EVENT_CODES = [
  "wish-recorded",
  "start-queued",
  "start-taken",
  "image-unpack-started",
  "image-unpack-ended",
  "disks-ready",
  "container-started",
  "agent-connected",
  "agent-lost",
  "desktop-running",
  "start-failed",
  "start-given-up",
  "start-retry-planned",
  "stop-taken",
  "poweroff-asked",
  "poweroff-answered",
  "poweroff-announced",
  "halt-sent",
  "monitor-terminated",
  "kill-sent",
  "desktop-ended",
  "desktop-crashed",
  "clean-up-failed",
  "desktop-stopped",
  "desktop-found",
  "session-requested",
  "session-preparing",
  "session-listening",
  "session-connected",
  "session-suspended",
  "session-ended",
  "session-failed",
  "session-superseded",
  "placement-refused",
  "health-fault",
  "health-restored",
  "desktop-deleted",
] as const;

export type VmEventCode = (typeof VM_EVENT_CODES)[number];

/** Codes that tell of something wrong; the rest is the normal course of things. */
export const FAULT_CODES: ReadonlySet<VmEventCode> = new Set<VmEventCode>([
  "agent-lost",
  "start-failed",
  "start-given-up",
  "desktop-crashed",
  "clean-up-failed",
  "session-failed",
  "placement-refused",
  "health-fault",
  "kill-sent",
]);

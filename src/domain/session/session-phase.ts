/** Where a sitting is, as lists tell it apart: its client waits, is connected, or it is over. */

export const SESSION_PHASES = ["waiting", "connected", "ended"] as const;
export type SessionPhase = (typeof SESSION_PHASES)[number];

type Times = {
  readonly connectedAt: Date | null;
  readonly supersededAt: Date | null;
  readonly endedAt: Date | null;
};

/** One that a newer client took over is over, also while its broker has yet to say so. */
export function sessionPhase({ connectedAt, supersededAt, endedAt }: Times): SessionPhase {
  if (endedAt !== null || supersededAt !== null) return "ended";
  return connectedAt === null ? "waiting" : "connected";
}

export function isSessionPhase(text: string): text is SessionPhase {
  return SESSION_PHASES.some((phase) => phase === text);
}

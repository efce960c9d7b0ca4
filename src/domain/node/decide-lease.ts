/**
 * What a keeper does about the right to run desktops. Pure; times are by its own clock, which goes on while the
 * machine sleeps.
 *
 *     held ──(no renewal, the lapse is near)──► frozen ──(row renewed, same epoch)──► held
 *       └──────────(the epoch has moved on)──────► lost ◄──(the epoch has moved on)──┘
 *                                                   └──(everything killed, a new epoch taken)──► held
 *
 * Two halves keep the right: the row in the database and the counter on the shared storage. Whoever takes over
 * needs both to have lapsed, so either alone keeps it. But only the row says whether the epoch still stands:
 * once the lapse may have passed, a counter proves nothing any more.
 */

import type { LeaseTimes } from "./lease-times.ts";

export type LeasePhase = "held" | "frozen" | "lost";

export type Renewals = {
  /** When the last accepted row and counter were sent, 0 for never; the lapse counts from the later one. */
  readonly rowAtMs: number;
  readonly counterAtMs: number;
};

export type Renewal = {
  readonly half: "row" | "counter";
  readonly sentAtMs: number;
  readonly doneAtMs: number;
};

export type LeaseFacts = {
  readonly nowMs: number;
  readonly phase: LeasePhase;
  /** Others could take over. With nobody to hand over to nothing lapses. */
  readonly fences: boolean;
  readonly hasEpochMoved: boolean;
  readonly renewals: Renewals;
  /** Whether somebody (the node process) has frozen the desktops already. */
  readonly isFrozen: boolean;
};

export type LeaseOrder = { readonly action: "none" | "freeze" | "thaw" | "lose"; readonly reason: string };

export function lapseAtMs(renewals: Renewals, times: LeaseTimes): number {
  return Math.max(renewals.rowAtMs, renewals.counterAtMs) + times.validMs;
}

export function decideLease(facts: LeaseFacts, times: LeaseTimes): LeaseOrder {
  const { phase, nowMs, isFrozen } = facts;
  if (phase === "lost") return { action: "none", reason: "it is being given up" };
  if (facts.hasEpochMoved)
    return { action: "lose", reason: "the epoch has moved on: another box has taken over" };
  const leftMs = lapseAtMs(facts.renewals, times) - nowMs;
  const isNear = facts.fences && leftMs <= times.freezeBeforeMs;
  if (isNear)
    return phase === "frozen"
      ? { action: "none", reason: "frozen until the row is renewed" }
      : { action: "freeze", reason: `nothing could be renewed, and it lapses in ${Math.round(leftMs)} ms` };
  if (phase === "frozen" || isFrozen)
    return { action: "thaw", reason: "it was renewed, and the epoch stands" };
  return { action: "none", reason: "it is held" };
}

/** The renewals after one more; a counter that may have come after the lapse changes nothing. */
export function acceptRenewal(
  renewals: Renewals,
  renewal: Renewal,
  by: { readonly times: LeaseTimes; readonly fences: boolean },
): Renewals {
  const { half, sentAtMs, doneAtMs } = renewal;
  if (half === "row") return { ...renewals, rowAtMs: Math.max(renewals.rowAtMs, sentAtMs) };
  const isLate = doneAtMs >= lapseAtMs(renewals, by.times) - by.times.guardMs;
  if (by.fences && isLate) return renewals;
  return { ...renewals, counterAtMs: Math.max(renewals.counterAtMs, sentAtMs) };
}

/** A box's right to run desktops, in one line for people: `qvd node status` and its page say the same. Pure. */

import { formatSpan } from "../vm/format-span.ts";
import type { LeasePhase } from "./decide-lease.ts";

/** What the box tells of its right; a box of an older version tells the first two. */
export type LeaseFacts = {
  readonly epoch: number;
  readonly isHeld: boolean;
  readonly phase?: LeasePhase | "unknown" | undefined;
  /** Whether others could take over. */
  readonly fences?: boolean | undefined;
  /** When the box told it; null for what never was. */
  readonly rowAgeMs?: number | null | undefined;
  readonly counterAgeMs?: number | null | undefined;
  readonly trouble?: string | undefined;
};

export type LeaseSeen = {
  /** Of the row in the database; null where there is none. */
  readonly epoch: number | null;
  readonly isValid: boolean;
  readonly lapsedMs: number | null;
  /** Since another box has taken over. */
  readonly lostMs: number | null;
  readonly facts: LeaseFacts | undefined;
};

export function describeLease(seen: LeaseSeen): string {
  const { epoch, isValid, lapsedMs, lostMs, facts } = seen;
  if (epoch === null) return "none: it may not run desktops";
  if (lostMs !== null) return `lost ${inSeconds(lostMs)} ago: its desktops were taken over (epoch ${epoch})`;
  if (!isValid) return `lapsed${lapsedMs === null ? "" : ` ${inSeconds(lapsedMs)} ago`} (epoch ${epoch})`;
  const frozen = facts?.phase === "frozen" ? ", its desktops frozen" : "";
  const halves = [
    ...age("row", facts?.rowAgeMs),
    ...age("counter", facts?.counterAgeMs),
    ...(facts?.fences === undefined
      ? []
      : [facts.fences ? "another box would take over" : "no other box could take over"]),
    ...(facts?.trouble ? [facts.trouble] : []),
  ];
  return [`held (epoch ${epoch})${frozen}`, ...halves].join("; ");
}

function age(what: string, ms: number | null | undefined): string[] {
  return ms === null || ms === undefined ? [] : [`${what} renewed ${inSeconds(ms)} before its last report`];
}

function inSeconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : formatSpan(ms);
}

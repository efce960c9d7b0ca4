/**
 * Bounds the guessing of six digits, by whoever has the password already: some wrong codes of one second factor are
 * free, then each further try has to wait longer. From every address together, since a million codes are few. It keeps
 * nobody out but those who have the password; its owner uses a recovery code meanwhile, which nobody guesses.
 */

import { backoffMs } from "../../lib/backoff.ts";

export const CODE_LIMITS = {
  freeFailures: 5,
  firstMs: 15_000,
  mostMs: 15 * 60_000,
  memoryMs: 60 * 60_000,
  mostKeys: 10_000,
} as const;

type Entry = { failures: number; lastMs: number };

export class CodeLimiter {
  readonly #monotonicMs: () => number;
  readonly #entries = new Map<number, Entry>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Whether a code of this second factor is looked at now. It counts as a wrong one until `forgive`. */
  admit(secondFactorId: number): boolean {
    const nowMs = this.#monotonicMs();
    const kept = this.#entries.get(secondFactorId);
    const entry = kept !== undefined && nowMs - kept.lastMs < CODE_LIMITS.memoryMs ? kept : undefined;
    const failures = entry?.failures ?? 0;
    const waitMs = backoffMs(failures - CODE_LIMITS.freeFailures + 1, CODE_LIMITS);
    if (entry !== undefined && nowMs - entry.lastMs < waitMs) return false;
    this.#entries.delete(secondFactorId);
    this.#entries.set(secondFactorId, { failures: failures + 1, lastMs: nowMs });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > CODE_LIMITS.mostKeys && oldest !== undefined) this.#entries.delete(oldest);
    return true;
  }

  /** The code was right. */
  forgive(secondFactorId: number): void {
    this.#entries.delete(secondFactorId);
  }
}

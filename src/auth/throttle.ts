/**
 * Slows down guessing: after some free failures each further one doubles the time until the next try of the
 * same account from the same address is looked at. A pure table over a clock; the caller does the waiting.
 * The original Perl client tries five times for each wrong password typed, hence the free ones; a client that
 * opens several connections at once passes by them too.
 */

import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

export const THROTTLE = {
  freeFailures: 5,
  firstMs: 500,
  mostMs: 8_000,
  /** Failures are forgotten this long after the last. */
  memoryMs: 10 * 60_000,
  mostKeys: 10_000,
  /** Tries of one key that may wait at a time. */
  mostWaiting: 3,
} as const;

/** One try, from its question to its verdict. It counts as a failure until it ends. */
export type Attempt = {
  /** How long the caller waits before it calls `begin`. */
  readonly waitMs: number;
  /** The wait is over. */
  begin(): void;
  /** To be called once, after `begin`. `undecided`: nobody looked at the proof, so it doesn't count. */
  end(outcome: "failed" | "succeeded" | "undecided"): void;
};

type Entry = { failures: number; pending: number; waiting: number; lastMs: number };

export class Throttle {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a place for a try; "refuse" when too many of this key wait already. */
  enter(key: string): Attempt | "refuse" {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#read(key) ?? { failures: 0, pending: 0, waiting: 0, lastMs: nowMs };
    const over = entry.failures + entry.pending - THROTTLE.freeFailures;
    const waitMs = Math.max(0, entry.lastMs + backoffMs(over, THROTTLE) - nowMs);
    if (waitMs > 0 && entry.waiting >= THROTTLE.mostWaiting) return "refuse";
    // Counted when asked: a verdict takes its time, and all of a burst would have come before the first.
    entry.pending++;
    if (waitMs > 0) entry.waiting++;
    else entry.lastMs = nowMs;
    this.#keep(key, entry);
    return {
      waitMs,
      begin: () => {
        if (waitMs > 0) entry.waiting--;
        entry.lastMs = this.#clock.monotonicMs();
      },
      end: (outcome) => {
        entry.pending--;
        if (outcome === "failed") {
          entry.failures++;
          entry.lastMs = this.#clock.monotonicMs();
          this.#keep(key, entry);
        } else if (outcome === "succeeded") entry.failures = 0;
        if (entry.failures + entry.pending === 0 && this.#entries.get(key) === entry)
          this.#entries.delete(key);
      },
    };
  }

  #keep(key: string, entry: Entry): void {
    // Put at the end again: the first of the map is the one that was quiet longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= THROTTLE.mostKeys) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #read(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#clock.monotonicMs() - entry.lastMs < THROTTLE.memoryMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

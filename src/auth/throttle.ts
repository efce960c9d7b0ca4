/**
 * Slows down guessing: after some free failures each further one doubles the time until the next try of the
 * same account from the same address is looked at. A pure table over a clock; the caller does the waiting.
 * The original Perl client tries five times for each wrong password typed, hence the free ones.
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

type Entry = { failures: number; lastMs: number; waiting: number };

export class Throttle {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long this try has to wait, or "refuse" when too many wait already. */
  enter(key: string): number | "refuse" {
    const entry = this.#read(key);
    if (entry === undefined) return 0;
    if (entry.waiting >= THROTTLE.mostWaiting) return "refuse";
    const over = entry.failures - THROTTLE.freeFailures;
    const dueMs = entry.lastMs + backoffMs(over, THROTTLE);
    return Math.max(0, dueMs - this.#clock.monotonicMs());
  }

  /** While a try waits it takes a place of its key. */
  hold(key: string): () => void {
    const entry = this.#read(key);
    if (entry === undefined) return () => {};
    entry.waiting++;
    return () => {
      entry.waiting--;
    };
  }

  failed(key: string): void {
    const entry = this.#read(key) ?? { failures: 0, lastMs: 0, waiting: 0 };
    entry.failures++;
    entry.lastMs = this.#clock.monotonicMs();
    // Put at the end again: the first of the map is the one that was quiet longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > THROTTLE.mostKeys) {
      const oldest = this.#entries.keys().next().value;
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
  }

  succeeded(key: string): void {
    this.#entries.delete(key);
  }

  #read(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#clock.monotonicMs() - entry.lastMs < THROTTLE.memoryMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

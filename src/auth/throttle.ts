/**
 * Slows down guessing: after some free failures each further one doubles the time until the next try of the
 * same key is looked at. A pure table over a clock; the caller does the waiting. What the keys are, and so who is
 * slowed down by whose failures, is `sign-in-throttle.ts`.
 * The original Perl client tries five times for each wrong password typed, hence the free ones; a client that
 * opens several connections at once passes by them too.
 */

import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

export type ThrottleLimits = {
  readonly freeFailures: number;
  readonly firstMs: number;
  readonly mostMs: number;
  /** Failures are forgotten this long after the last. */
  readonly memoryMs: number;
  readonly mostKeys: number;
  /** Tries of one key that may wait at a time. */
  readonly mostWaiting: number;
  /** Tries without a verdict yet don't count: many people may share the key. */
  readonly isShared?: true;
};

/** Of one account from one address. */
export const THROTTLE = {
  freeFailures: 5,
  firstMs: 500,
  mostMs: 8_000,
  memoryMs: 10 * 60_000,
  mostKeys: 10_000,
  mostWaiting: 3,
} as const satisfies ThrottleLimits;

/** One try, from its question to its verdict. It counts as a failure until it ends. */
export type Attempt = {
  /** How long the caller waits before it calls `begin`. */
  readonly waitMs: number;
  /** The wait is over. */
  begin(): void;
  /** To be called once, after `begin`. `undecided`: nobody looked at the proof, so it doesn't count. */
  end(outcome: "failed" | "succeeded" | "undecided"): void;
};

/** A key whose next try waits. */
export type Slowed = { readonly key: string; readonly failures: number; readonly waitMs: number };

type Entry = {
  failures: number;
  /** Those of them that the site doesn't know of, and those that it is being told of. */
  untold: number;
  beingTold: number;
  pending: number;
  waiting: number;
  lastMs: number;
};

export class Throttle {
  readonly #clock: Clock;
  readonly #limits: ThrottleLimits;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, limits: ThrottleLimits = THROTTLE) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Those over their free failures, the one whose next try waits longest first. */
  list(): readonly Slowed[] {
    const keys = [...this.#entries.keys()];
    const slowed = keys.flatMap((key) => {
      const entry = this.#read(key);
      if (entry === undefined || entry.failures <= this.#limits.freeFailures) return [];
      return [{ key, failures: entry.failures, waitMs: this.#waitMs(entry, this.#clock.monotonicMs()) }];
    });
    return slowed.sort((one, other) => other.waitMs - one.waitMs);
  }

  /** Its next try is looked at at once; false when it wasn't slowed down. Tries that wait go on waiting. */
  forget(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** How long a try would wait now. */
  waitMs(key: string): number {
    const entry = this.#read(key);
    return entry === undefined ? 0 : this.#waitMs(entry, this.#clock.monotonicMs());
  }

  /** What the site has counted: all that is known, but for failures that it wasn't told of. Undefined: nothing. */
  learn(key: string, counted: { readonly failures: number; readonly ageMs: number } | undefined): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#read(key);
    if (known === undefined && counted === undefined) return;
    const entry = known ?? newEntry(0);
    // A database whose clock was set back would make failures of the future, and everybody wait for it.
    const ageMs = Math.max(0, counted?.ageMs ?? 0);
    entry.failures = (counted?.failures ?? 0) + entry.untold + entry.beingTold;
    if (counted !== undefined)
      entry.lastMs = Math.max(known === undefined ? Number.NEGATIVE_INFINITY : entry.lastMs, nowMs - ageMs);
    if (entry.failures + entry.pending > 0) this.#keep(key, entry);
    else this.#entries.delete(key);
  }

  hasFailures(key: string): boolean {
    return (this.#read(key)?.failures ?? 0) > 0;
  }

  /** Failures that the site is to be told of; `noteTold` follows. */
  takeUntold(key: string): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) return 0;
    const { untold } = entry;
    entry.untold = 0;
    entry.beingTold += untold;
    return untold;
  }

  /** The site counts `sum` now; undefined when it couldn't be told. */
  noteTold(key: string, { told, sum }: { readonly told: number; readonly sum: number | undefined }): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.beingTold = Math.max(0, entry.beingTold - told);
    if (sum === undefined) entry.untold += told;
    else entry.failures = sum + entry.untold + entry.beingTold;
  }

  /** Takes a place for a try; "refuse" when too many of this key wait already. */
  enter(key: string): Attempt | "refuse" {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#read(key) ?? newEntry(nowMs);
    const waitMs = this.#waitMs(entry, nowMs);
    if (waitMs > 0 && entry.waiting >= this.#limits.mostWaiting) return "refuse";
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
          entry.untold++;
          entry.lastMs = this.#clock.monotonicMs();
          this.#keep(key, entry);
        } else if (outcome === "succeeded") {
          entry.failures = 0;
          entry.untold = 0;
        }
        if (entry.failures + entry.pending === 0 && this.#entries.get(key) === entry)
          this.#entries.delete(key);
      },
    };
  }

  #waitMs(entry: Entry, nowMs: number): number {
    const pending = this.#limits.isShared ? 0 : entry.pending;
    const over = entry.failures + pending - this.#limits.freeFailures;
    return Math.max(0, entry.lastMs + backoffMs(over, this.#limits) - nowMs);
  }

  #keep(key: string, entry: Entry): void {
    // Put at the end again: the first of the map is the one that was quiet longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= this.#limits.mostKeys) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #read(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#clock.monotonicMs() - entry.lastMs < this.#limits.memoryMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

function newEntry(lastMs: number): Entry {
  return { failures: 0, untold: 0, beingTold: 0, pending: 0, waiting: 0, lastMs };
}

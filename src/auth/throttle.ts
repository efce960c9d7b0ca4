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
  /** Tries of one key that may wait at a time. When they are as many, those give way who have tried most. */
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
  /** Aborted when somebody who has tried less takes the place: the wait is over, and nothing is to be looked at. */
  readonly sentAway?: AbortSignal;
  /** The wait is over. */
  begin(): void;
  /** To be called once, after `begin`. `undecided`: nobody looked at the proof, so it doesn't count. */
  end(outcome: "failed" | "succeeded" | "undecided"): void;
};

/** Who tries, among those of the same key: an account's lane has many addresses, an address's many accounts. */
export type Trier = {
  readonly who: string;
  /** Their own failures towards this key. */
  readonly failures: number;
};

/** A key whose next try waits. */
export type Slowed = { readonly key: string; readonly failures: number; readonly waitMs: number };

type Waiter = Trier & { readonly away: AbortController };

type Entry = {
  failures: number;
  /** Those of them that the site doesn't know of, and those that it is being told of. */
  untold: number;
  beingTold: number;
  pending: number;
  waiting: Waiter[];
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

  failuresOf(key: string): number {
    return this.#read(key)?.failures ?? 0;
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

  /** Takes a place for a try; "refuse" when too many of this key wait already who haven't tried more. */
  enter(key: string, trier: Trier = ANYBODY): Attempt | "refuse" {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#read(key) ?? newEntry(nowMs);
    const waitMs = this.#waitMs(entry, nowMs);
    const waiter: Waiter | undefined = waitMs > 0 ? { ...trier, away: new AbortController() } : undefined;
    if (waiter !== undefined && !this.#takePlace(entry, waiter)) return "refuse";
    // Counted when asked: a verdict takes its time, and all of a burst would have come before the first.
    entry.pending++;
    if (waiter === undefined) entry.lastMs = nowMs;
    this.#keep(key, entry);
    return {
      waitMs,
      ...(waiter && { sentAway: waiter.away.signal }),
      begin: () => {
        entry.waiting = entry.waiting.filter((one) => one !== waiter);
        if (waiter?.away.signal.aborted !== true) entry.lastMs = this.#clock.monotonicMs();
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

  /** Of those who wait the newest goes of whoever has tried most, if that is more than `waiter` has with this try. */
  #takePlace(entry: Entry, waiter: Waiter): boolean {
    const { waiting } = entry;
    if (waiting.length >= this.#limits.mostWaiting) {
      if (waiting.length === 0) return false;
      const triesOf = ({ who, failures }: Trier) =>
        failures + waiting.filter((one) => one.who === who).length;
      const most = waiting.reduce((one, other) => (triesOf(other) >= triesOf(one) ? other : one));
      if (triesOf(most) <= triesOf(waiter) + 1) return false;
      waiting.splice(waiting.indexOf(most), 1);
      most.away.abort();
    }
    waiting.push(waiter);
    return true;
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

const ANYBODY: Trier = { who: "", failures: 0 };

function newEntry(lastMs: number): Entry {
  return { failures: 0, untold: 0, beingTold: 0, pending: 0, waiting: [], lastMs };
}

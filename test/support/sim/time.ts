/**
 * A clock that stands still until it is driven, and the timers that go by it. Each timer has an owner, which
 * can be frozen (its timers wait), or be gone (they never ring). The same calls give the same order of events:
 * by moment, then by the order in which they were asked for.
 */

import type { Clock, Timers } from "../../../src/lib/clock.ts";

type Entry = { atMs: number; readonly seq: number; readonly owner: SimOwner; readonly call: () => void };

/** Whoever asks for timers: a process, a desktop, the world itself. */
export type SimOwner = { readonly name: string; isFrozen: boolean; isGone: boolean };

export function newOwner(name: string): SimOwner {
  return { name, isFrozen: false, isGone: false };
}

export class SimTime {
  nowMs = 0;
  readonly #entries = new Set<Entry>();
  readonly #settle: () => Promise<void>;
  #seq = 0;

  /** `settle` waits until nothing happens any more at the present moment. */
  constructor(settle: () => Promise<void> = drainMicrotasks) {
    this.#settle = settle;
  }

  timersOf(owner: SimOwner): Timers {
    const after = (ms: number, call: () => void) => {
      const entry = { atMs: this.nowMs + Math.max(0, ms), seq: this.#seq++, owner, call };
      this.#entries.add(entry);
      return () => void this.#entries.delete(entry);
    };
    const every = (ms: number, call: () => void) => {
      let callOff = () => {};
      const again = () => {
        callOff = after(ms, again);
        call();
      };
      callOff = after(ms, again);
      return () => callOff();
    };
    return { after, every };
  }

  /** Its wall clock is ours and `offsetMs()`; the monotonic one is never moved. */
  clockOf(startMs: number, offsetMs: () => number = () => 0): Clock {
    return { nowMs: () => startMs + this.nowMs + offsetMs(), monotonicMs: () => this.nowMs };
  }

  sleep(owner: SimOwner, ms: number): Promise<void> {
    return new Promise((resolve) => this.timersOf(owner).after(ms, resolve));
  }

  /** Lets `ms` pass: rings what is due, one after the other, each when the one before has come to rest. */
  async advance(ms: number, afterEach: () => Promise<void> = async () => {}): Promise<void> {
    const endMs = this.nowMs + ms;
    await this.#settle();
    await afterEach();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#entries.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.call();
      await this.#settle();
      await afterEach();
    }
    this.nowMs = endMs;
  }

  /** Drives the clock until `probe` says something other than nothing; undefined when `timeoutMs` have passed. */
  async waitFor<T>(probe: () => T | Promise<T>, timeoutMs: number): Promise<T | undefined> {
    const endMs = this.nowMs + timeoutMs;
    for (;;) {
      await this.#settle();
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found;
      if (this.nowMs >= endMs) return undefined;
      await this.advance(1);
    }
  }

  #next(endMs: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.owner.isGone) this.#entries.delete(entry);
      else if (
        !entry.owner.isFrozen &&
        entry.atMs <= endMs &&
        (first === undefined || isBefore(entry, first))
      )
        first = entry;
    }
    return first;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.seq < other.seq);
}

/** Twice: what a promise's end sets going may itself wait for one more turn. */
export async function drainMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

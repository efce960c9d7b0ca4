/**
 * Where people wait for something that costs. Runs at most `atOnce` tasks at a time; who waits is served in turns, one of
 * each asker, so that a stranger with a thousand connections delays everybody by one task and not by a thousand. Nobody
 * is let wait for longer than they may, by the pace that was measured: whoever would be is told at once when to come again.
 * When the room is full, those go who are the most of one asker: a few strangers can't take it all.
 */

import type { Clock } from "../lib/clock.ts";

export type QueueLimits = {
  readonly atOnce: number;
  /** Of all who wait; one asker may be half of them. */
  readonly mostWaiting: number;
  /** How long a task is taken to last before the first has ended. */
  readonly firstTaskMs: number;
};

export type Place = {
  /** 1 is next. */
  readonly number: number;
  /** Until their turn, by the pace so far. */
  readonly waitMs: number;
};

export type Wait = {
  readonly asker: string;
  readonly mayWaitMs: number;
  /** Told by `tellPlaces`, and at once when there is a wait. */
  readonly onPlace?: ((place: Place) => void) | undefined;
  /** Leaves the queue. A task that runs already is for itself to end. */
  readonly signal?: AbortSignal | undefined;
};

export type Served<T> =
  | { readonly outcome: "served"; readonly value: T }
  | { readonly outcome: "full"; readonly retryMs: number }
  | { readonly outcome: "left" };

type Turn = "come" | "left" | "sent-away";
type Waiter = { readonly settle: (turn: Turn) => void; readonly onPlace: Wait["onPlace"] };

/** How much the newest task says of the pace, and one that was far slower than those before it. */
const NEWEST = 0.05;
const MOST_SLOWER = 2;
const MOST_RETRY_MS = 60_000;
/** Where the asker doesn't say: it has half a minute for all of it. */
export const MAY_WAIT_MS = 20_000;

export class FairQueue {
  readonly #limits: QueueLimits;
  readonly #clock: Clock;
  /** In the order of their turns; no asker without somebody who waits. */
  readonly #waiting = new Map<string, Waiter[]>();
  #count = 0;
  #running = 0;
  #taskMs: number;

  constructor(limits: QueueLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#taskMs = limits.firstTaskMs;
  }

  get waitingCount(): number {
    return this.#count;
  }

  async run<T>(task: () => Promise<T>, wait: Wait): Promise<Served<T>> {
    if (this.#running >= this.#limits.atOnce) {
      const place = this.#placeOfNext(wait.asker);
      if (place === undefined || place.waitMs > wait.mayWaitMs)
        return { outcome: "full", retryMs: this.#retryMs(wait.mayWaitMs) };
      const turn = await this.#join(wait, place);
      if (turn === "left") return { outcome: "left" };
      if (turn === "sent-away") return { outcome: "full", retryMs: this.#retryMs(wait.mayWaitMs) };
    } else this.#running++;
    const beganMs = this.#clock.monotonicMs();
    try {
      return { outcome: "served", value: await task() };
    } finally {
      this.#notePace(this.#clock.monotonicMs() - beganMs);
      this.#handOver();
    }
  }

  /** Tells everybody who waits where they stand. Called now and then. */
  tellPlaces(): void {
    let number = 0;
    const rounds = [...this.#waiting.values()];
    for (let round = 0, left = rounds; left.length > 0; round++) {
      for (const waiters of left) {
        // Those who can't be told count as well.
        const place = this.#placeAt(++number);
        waiters[round]?.onPlace?.(place);
      }
      left = left.filter((waiters) => waiters.length > round + 1);
    }
  }

  /** `come`: the place of the one that ended is theirs, and nobody who comes between can take it. */
  #join({ asker, onPlace, signal }: Wait, place: Place): Promise<Turn> {
    if (signal?.aborted) return Promise.resolve("left");
    if (this.#count >= this.#limits.mostWaiting) this.#sendAwayOneOf(this.#findMost());
    return new Promise((resolve) => {
      const leave = () => {
        if (this.#remove(asker, waiter)) resolve("left");
      };
      const waiter: Waiter = {
        onPlace,
        settle: (turn) => {
          signal?.removeEventListener("abort", leave);
          resolve(turn);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      const others = this.#waiting.get(asker);
      if (others === undefined) this.#waiting.set(asker, [waiter]);
      else others.push(waiter);
      this.#count++;
      onPlace?.(place);
    });
  }

  /** When a crowd comes all at once the first tasks wait for the database, and say little of the others. */
  #notePace(lastedMs: number): void {
    this.#taskMs += NEWEST * (Math.min(lastedMs, MOST_SLOWER * this.#taskMs) - this.#taskMs);
  }

  #handOver(): void {
    const [turn] = this.#waiting;
    if (turn === undefined) {
      this.#running--;
      return;
    }
    const [asker, waiters] = turn;
    const next = waiters.shift();
    this.#waiting.delete(asker);
    // Behind all others until their next turn.
    if (waiters.length > 0) this.#waiting.set(asker, waiters);
    this.#count--;
    next?.settle("come");
  }

  /** Who has the most that wait; of several the one whose turn is next. */
  #findMost(): { readonly asker: string; readonly count: number } {
    let most = { asker: "", count: 0 };
    for (const [asker, { length: count }] of this.#waiting) if (count > most.count) most = { asker, count };
    return most;
  }

  /** The one who came last. */
  #sendAwayOneOf({ asker }: { readonly asker: string }): void {
    const last = this.#waiting.get(asker)?.at(-1);
    if (last !== undefined && this.#remove(asker, last)) last.settle("sent-away");
  }

  #remove(asker: string, waiter: Waiter): boolean {
    const waiters = this.#waiting.get(asker) ?? [];
    const at = waiters.indexOf(waiter);
    if (at === -1) return false;
    waiters.splice(at, 1);
    if (waiters.length === 0) this.#waiting.delete(asker);
    this.#count--;
    return true;
  }

  /** Undefined when there is no room. */
  #placeOfNext(asker: string): Place | undefined {
    const { mostWaiting } = this.#limits;
    const own = this.#waiting.get(asker)?.length ?? 0;
    if (own >= mostWaiting / 2) return undefined;
    if (this.#count >= mostWaiting && this.#findMost().count <= own + 1) return undefined;
    if (own === 0) return this.#placeAt(this.#waiting.size + 1);
    let before = 1;
    for (const { length } of this.#waiting.values()) before += Math.min(length, own + 1);
    return this.#placeAt(before);
  }

  #placeAt(number: number): Place {
    return { number, waitMs: (number * this.#taskMs) / this.#limits.atOnce };
  }

  /** When about half of those who wait will have been served. */
  #retryMs(mayWaitMs: number): number {
    const { waitMs } = this.#placeAt(this.#count / 2);
    return Math.round(Math.min(MOST_RETRY_MS, Math.max(mayWaitMs / 4, waitMs)));
  }
}

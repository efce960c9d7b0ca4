/** Remembers what came of an order that was begun before it was given, until it is. */

import type { Clock } from "../../lib/clock.ts";

type Kept<Outcome> = {
  readonly session: number;
  readonly outcome: Promise<Outcome>;
  readonly sinceMs: number;
};

export class OrderAhead<Outcome> {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #kept: Kept<Outcome> | undefined;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  keep(session: number, outcome: Promise<Outcome>): void {
    // Whoever orders it hears how it failed.
    outcome.catch(() => {});
    this.#kept = { session, outcome, sinceMs: this.#clock.monotonicMs() };
  }

  /** Once, and for its own session; undefined when that was begun longer ago than `mostAgeMs`, or another comes first. */
  take(session: number, mostAgeMs: number): Promise<Outcome> | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    const isIt = kept?.session === session && this.#clock.monotonicMs() - kept.sinceMs < mostAgeMs;
    return isIt ? kept.outcome : undefined;
  }
}

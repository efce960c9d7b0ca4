/**
 * Tells open pages that something changed. Wakes come from the node's socket; while there is no node to wake
 * us, time does. Bursts are coalesced: a page is told at once and then at most every half second.
 */

import type { Clock } from "../lib/clock.ts";

export type LiveOptions = {
  readonly clock: Clock;
  /** Whether wakes arrive; while they don't, listeners are told every `pollMs`. */
  readonly isWoken: () => boolean;
  readonly pollMs?: number;
  /** Told at least so often in any case, as a wake may get lost. */
  readonly mostSilentMs?: number;
  readonly leastGapMs?: number;
};

/** More open pages than this are told to come back; each costs a little memory and a connection. */
const MOST_LISTENERS = 500;

export class Live {
  readonly #options: Required<LiveOptions>;
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;
  #poll: Timer | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LiveOptions) {
    this.#options = { pollMs: 2000, leastGapMs: 500, mostSilentMs: 10_000, ...options };
  }

  get hasRoom(): boolean {
    return this.#listeners.size < MOST_LISTENERS;
  }

  start(): void {
    this.#poll ??= setInterval(() => {
      if (!this.#options.isWoken() || this.#isLongSilent()) this.notice();
    }, this.#options.pollMs);
  }

  stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#poll = undefined;
    this.#timer = undefined;
    this.#listeners.clear();
  }

  /** Returns the function that ends the listening. */
  listen(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  /** Something changed. */
  notice(): void {
    if (this.#timer !== undefined || this.#listeners.size === 0) return;
    const waitMs = this.#toldAtMs + this.#options.leastGapMs - this.#options.clock.monotonicMs();
    if (waitMs <= 0) this.#tell();
    else this.#timer = setTimeout(() => this.#tell(), waitMs);
  }

  #isLongSilent(): boolean {
    return this.#options.clock.monotonicMs() - this.#toldAtMs >= this.#options.mostSilentMs;
  }

  #tell(): void {
    this.#timer = undefined;
    this.#toldAtMs = this.#options.clock.monotonicMs();
    for (const listener of this.#listeners) listener();
  }
}

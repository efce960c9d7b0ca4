/**
 * The first part of a drain: the worker still takes whoever comes, while its `/qvd/ping` tells balancers to send
 * clients elsewhere. Pointless where no balancer asks, so the last question is remembered.
 */

/** A balancer asks every few seconds. */
const LATELY_MS = 60_000;

export class Leaving {
  #pingedAtMs = Number.NEGATIVE_INFINITY;
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  notePing(nowMs: number): void {
    this.#pingedAtMs = nowMs;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  /** Whether anybody is there to be told. */
  isAsked(nowMs: number): boolean {
    return nowMs - this.#pingedAtMs <= LATELY_MS;
  }
}

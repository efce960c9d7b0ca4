/**
 * How much a peer may send: a bucket of tokens that fills at a steady rate. Not a queue: what finds the
 * bucket empty is refused.
 */

export type BucketLimits = { readonly perSecond: number; readonly burst: number };

export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #filledAtMs: number;

  constructor(limits: BucketLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes `cost` tokens; false when there aren't as many, and then none is taken. */
  take(cost: number, nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + (passedMs * this.#limits.perSecond) / 1000);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }
}

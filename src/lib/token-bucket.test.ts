import { describe, expect, test } from "bun:test";
import { TokenBucket } from "./token-bucket.ts";

describe("TokenBucket", () => {
  test("lets a burst through and then the steady rate", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 0))).toEqual([true, true, true, false]);
    expect(bucket.take(1, 50)).toBe(false);
    expect(bucket.take(1, 100)).toBe(true);
  });

  test("never holds more than the burst", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
    expect([1, 2, 3].map(() => bucket.take(1, 1_000_000))).toEqual([true, true, false]);
  });

  test("gains nothing from a clock that goes back", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 1_000);
    expect(bucket.take(1, 1_000)).toBe(true);
    expect(bucket.take(1, 0)).toBe(false);
  });
});

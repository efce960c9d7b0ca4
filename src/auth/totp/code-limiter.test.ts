import { expect, test } from "bun:test";
import { CODE_LIMITS, CodeLimiter } from "./code-limiter.ts";

function create() {
  const time = { ms: 0 };
  return { time, limiter: new CodeLimiter(() => time.ms) };
}

test("lets some codes be tried, then one after each longer wait", () => {
  const { time, limiter } = create();
  const burst = Array.from({ length: 9 }, () => limiter.admit(1));
  expect(burst.filter((isAdmitted) => isAdmitted).length).toBe(CODE_LIMITS.freeFailures);
  time.ms += CODE_LIMITS.firstMs;
  expect([limiter.admit(1), limiter.admit(1)]).toEqual([true, false]);
  time.ms += CODE_LIMITS.firstMs;
  expect(limiter.admit(1)).toBe(false);
  time.ms += CODE_LIMITS.firstMs;
  expect(limiter.admit(1)).toBe(true);
});

test("lets so few be tried in a day that a guess is hopeless", () => {
  const { time, limiter } = create();
  let tries = 0;
  for (; time.ms < 86_400_000; time.ms += 1_000) if (limiter.admit(1)) tries++;
  // Three codes of a million count at a time.
  expect((tries * 3) / 1_000_000).toBeLessThan(0.0005);
});

test("is for one second factor, over with a right code, and forgets", () => {
  const { time, limiter } = create();
  while (limiter.admit(1)) time.ms += 1;
  expect(limiter.admit(2)).toBe(true);
  limiter.forgive(1);
  expect(limiter.admit(1)).toBe(true);
  while (limiter.admit(1)) time.ms += 1;
  time.ms += CODE_LIMITS.memoryMs;
  expect(limiter.admit(1)).toBe(true);
});

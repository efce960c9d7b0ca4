import { expect, test } from "bun:test";
import { TestPace } from "./test-pace.ts";

test("a tenant's directories are tried once in a while, and each tenant's apart", () => {
  let nowMs = 0;
  const pace = new TestPace({ nowMs: () => nowMs, everyMs: 10_000 });
  expect([pace.admits(1), pace.admits(1), pace.admits(2)]).toEqual([true, false, true]);
  nowMs = 9_999;
  expect(pace.admits(1)).toBe(false);
  nowMs = 10_000;
  expect(pace.admits(1)).toBe(true);
});

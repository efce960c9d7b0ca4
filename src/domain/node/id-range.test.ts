import { expect, test } from "bun:test";
import { idRangeOf, LAST_SLOT, unpackRange } from "./id-range.ts";

test("ranges of neighbouring slots touch and don't overlap", () => {
  for (const slot of [0, 1, 17, LAST_SLOT - 1]) {
    const { first, count } = idRangeOf(1_000_000, slot);
    expect(idRangeOf(1_000_000, slot + 1).first).toBe(first + count);
  }
});

test("the range for unpacking lies behind every desktop's and within root's", () => {
  const last = idRangeOf(1_000_000, LAST_SLOT);
  const { first, count } = unpackRange(1_000_000);
  expect(first).toBe(last.first + last.count);
  expect(first + count).toBeLessThanOrEqual(1_000_000 + 2_000_000_000);
});

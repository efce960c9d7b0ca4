import { expect, test } from "bun:test";
import { shareReads } from "./share-reads.ts";

test("a read is shared for its time, and no longer than until something has changed", async () => {
  let [nowMs, reads] = [0, 0];
  const shared = shareReads(
    async () => {
      reads += 1;
      return reads;
    },
    500,
    () => nowMs,
  );
  expect(await Promise.all([shared.read(), shared.read()])).toEqual([1, 1]);
  nowMs = 500;
  expect(await shared.read()).toBe(1);
  nowMs = 501;
  expect(await shared.read()).toBe(2);
  shared.forget();
  expect(await shared.read()).toBe(3);
});

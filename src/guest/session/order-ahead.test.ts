import { expect, test } from "bun:test";
import { OrderAhead } from "./order-ahead.ts";

function setUp() {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  return { clock, ahead: new OrderAhead<string>(clock) };
}

test("what was begun ahead answers the order for its session, once", async () => {
  const { ahead } = setUp();
  ahead.keep(5, Promise.resolve("done"));
  expect(await ahead.take(5, 1_000)).toBe("done");
  expect(ahead.take(5, 1_000)).toBeUndefined();
});

test("another session's order forgets it", () => {
  const { ahead } = setUp();
  ahead.keep(5, Promise.resolve("done"));
  expect(ahead.take(6, 1_000)).toBeUndefined();
  expect(ahead.take(5, 1_000)).toBeUndefined();
});

test("what was begun too long ago answers nothing", () => {
  const { ahead, clock } = setUp();
  ahead.keep(5, Promise.resolve("done"));
  clock.nowMs = 1_000;
  expect(ahead.take(5, 1_000)).toBeUndefined();
});

test("its failure is that of the order", async () => {
  const { ahead } = setUp();
  ahead.keep(5, Promise.reject(new Error("the disk is full")));
  await expect(ahead.take(5, 1_000)).rejects.toThrow("the disk is full");
});

import { expect, test } from "bun:test";
import { waitFor } from "../../src/lib/wait.ts";
import { createCoarseTimers } from "./coarse-timers.ts";

const timers = createCoarseTimers(5);

test("calls once after the time, never early, and together what is due together", async () => {
  const startedMs = performance.now();
  const calls: string[] = [];
  timers.after(30, () => calls.push("late"));
  timers.after(1, () => calls.push("one"));
  timers.after(1, () => calls.push("two"));
  await waitFor(() => calls.length === 3, { timeoutMs: 5_000 });
  expect(calls).toEqual(["one", "two", "late"]);
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(30);
});

test("calls again and again until it is called off", async () => {
  let count = 0;
  const callOff = timers.every(5, () => count++);
  await waitFor(() => count >= 3, { timeoutMs: 5_000 });
  callOff();
  const seen = count;
  let isLater = false;
  timers.after(40, () => {
    isLater = true;
  });
  await waitFor(() => isLater, { timeoutMs: 5_000 });
  expect(count).toBe(seen);
});

test("calls what was asked for during a call at the next tick, not for ever in this one", async () => {
  let depth = 0;
  const again = () => {
    if (++depth < 5) timers.after(0, again);
  };
  timers.after(0, again);
  expect(await waitFor(() => depth === 5, { timeoutMs: 5_000 })).toBe(true);
});

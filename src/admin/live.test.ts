import { describe, expect, test } from "bun:test";
import { waitFor } from "../lib/wait.ts";
import { Live } from "./live.ts";

function handClock() {
  const clock = { ms: 0, nowMs: () => clock.ms, monotonicMs: () => clock.ms };
  return clock;
}

describe("live", () => {
  test("tells at once, and a burst only once more", async () => {
    const clock = handClock();
    const live = new Live({ clock, isWoken: () => true, leastGapMs: 30 });
    let told = 0;
    live.listen(() => {
      told += 1;
    });
    live.notice();
    expect(told).toBe(1);
    for (let i = 0; i < 100; i += 1) live.notice();
    expect(told).toBe(1);
    await waitFor(() => told === 2, { timeoutMs: 2000 });
    expect(told).toBe(2);
    live.stop();
  });

  test("polls only while nobody wakes it", async () => {
    let isWoken = true;
    const live = new Live({ clock: handClock(), isWoken: () => isWoken, pollMs: 5, leastGapMs: 0 });
    let told = 0;
    live.listen(() => {
      told += 1;
    });
    live.notice();
    told = 0;
    live.start();
    expect(await waitFor(() => told > 0, { timeoutMs: 50 })).toBeUndefined();
    isWoken = false;
    expect(await waitFor(() => told > 2, { timeoutMs: 2000 })).toBe(true);
    live.stop();
  });

  test("tells after a long silence although nobody woke it", async () => {
    const clock = handClock();
    const live = new Live({ clock, isWoken: () => true, pollMs: 5, mostSilentMs: 10_000 });
    let told = 0;
    live.listen(() => {
      told += 1;
    });
    live.notice();
    live.start();
    clock.ms = 10_001;
    expect(await waitFor(() => told === 2, { timeoutMs: 2000 })).toBe(true);
    live.stop();
  });

  test("forgets who stopped listening", () => {
    const live = new Live({ clock: handClock(), isWoken: () => true });
    let told = 0;
    const stop = live.listen(() => {
      told += 1;
    });
    stop();
    live.notice();
    expect(told).toBe(0);
  });

  test("has room for a bounded number of pages", () => {
    const live = new Live({ clock: handClock(), isWoken: () => true });
    for (let i = 0; i < 500; i += 1) live.listen(() => {});
    expect(live.hasRoom).toBe(false);
    live.stop();
    expect(live.hasRoom).toBe(true);
  });
});

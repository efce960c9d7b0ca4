import { expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { createSlaveKey } from "./slave-key.ts";
import { Wakes } from "./wakes.ts";

const one = asId<VmId>(1);
const never = new AbortController().signal;

/** Milliseconds that a wait took. */
async function time(wait: Promise<void>): Promise<number> {
  const startMs = performance.now();
  await wait;
  return performance.now() - startMs;
}

test("a wake ends the wait for its desktop, and for no other", async () => {
  const wakes = new Wakes();
  const alarm = wakes.subscribe(one);
  const other = wakes.subscribe(asId<VmId>(2));
  setTimeout(() => wakes.notify(1), 10);
  expect(await time(alarm.next(60_000, never))).toBeLessThan(30_000);
  expect(await time(other.next(60, never))).toBeGreaterThanOrEqual(50);
});

test("a wake between two waits ends the second at once, and only that", async () => {
  const wakes = new Wakes();
  const alarm = wakes.subscribe(one);
  wakes.notify(1);
  expect(await time(alarm.next(60_000, never))).toBeLessThan(30_000);
  expect(await time(alarm.next(60, never))).toBeGreaterThanOrEqual(50);
});

test("a wake without a desktop is for all, and closed alarms are gone", async () => {
  const wakes = new Wakes();
  const alarm = wakes.subscribe(one);
  wakes.subscribe(one).close();
  wakes.notify();
  expect(await time(alarm.next(60_000, never))).toBeLessThan(30_000);
  alarm.close();
  wakes.notify(1);
});

test("an aborted wait ends", async () => {
  const alarm = new Wakes().subscribe(one);
  expect(await time(alarm.next(60_000, AbortSignal.abort()))).toBeLessThan(30_000);
});

test("a slave key is 64 letters and digits, evenly chosen", () => {
  expect(createSlaveKey((into) => crypto.getRandomValues(into))).toMatch(/^[A-Za-z0-9]{64}$/);
  const count = new Map<string, number>();
  for (let round = 0; round < 2_000; round++)
    for (const letter of createSlaveKey((into) => crypto.getRandomValues(into)))
      count.set(letter, (count.get(letter) ?? 0) + 1);
  const expected = (2_000 * 64) / 62;
  expect(count.size).toBe(62);
  for (const seen of count.values()) expect(Math.abs(seen - expected)).toBeLessThan(expected * 0.15);
});

import { expect, test } from "bun:test";
import { giveBack } from "./give-back.ts";

test("empties a large chunk, also one whose beginning was sent before", () => {
  const whole = new Uint8Array(100_000);
  giveBack(whole);
  expect(whole.length).toBe(0);
  const end = new Uint8Array(100_000).subarray(50_000);
  giveBack(end);
  expect(end.buffer.byteLength).toBe(0);
});

test("leaves small chunks to the collector", () => {
  const small = new Uint8Array(1_000);
  giveBack(small);
  expect(small.length).toBe(1_000);
});

test("leaves what is followed by something that others may read", () => {
  const whole = new Uint8Array(100_000);
  giveBack(whole.subarray(0, 50_000));
  expect(whole.length).toBe(100_000);
});

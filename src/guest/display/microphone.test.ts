import { expect, test } from "bun:test";
import { Pace } from "./microphone.ts";

const create = () => new Pace({ bytesPerMs: 100, mostAheadMs: 200 });

test("samples that come at their pace all pass", () => {
  const pace = create();
  for (let nowMs = 0; nowMs < 10_000; nowMs += 20) expect(pace.takes(2_000, nowMs)).toBe(true);
});

test("whoever sends twice as fast is heard half, and never far behind", () => {
  const pace = create();
  let passed = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) if (pace.takes(2_000, nowMs)) passed += 2_000;
  expect(passed / 100).toBeGreaterThan(9_900);
  expect(passed / 100).toBeLessThan(10_300);
});

test("after a pause nothing is owed", () => {
  const pace = create();
  for (let count = 0; count < 50; count++) pace.takes(2_000, 0);
  expect(pace.takes(2_000, 0)).toBe(false);
  expect(pace.takes(2_000, 5_000)).toBe(true);
});

test("a sample that was cut in two is not torn", () => {
  const pace = create();
  pace.takes(30_000, 0);
  expect(pace.takes(2_001, 0)).toBe(true);
  expect(pace.takes(1_999, 0)).toBe(true);
  expect(pace.takes(2_000, 0)).toBe(false);
});

import { expect, test } from "bun:test";
import { createRandom } from "../../../test/support/random.ts";
import { Pace } from "./microphone.ts";

const create = () => new Pace({ bytesPerMs: 100, mostAheadMs: 200 });

test("samples that come at their pace all pass", () => {
  const pace = create();
  for (let nowMs = 0; nowMs < 10_000; nowMs += 20)
    expect(pace.take(new Uint8Array(2_000), nowMs).length).toBe(2_000);
});

test("whoever sends twice as fast is heard half, and never far behind", () => {
  const pace = create();
  let passed = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) passed += pace.take(new Uint8Array(2_000), nowMs).length;
  expect(passed / 100).toBeGreaterThan(9_900);
  expect(passed / 100).toBeLessThan(10_300);
});

test("after a pause nothing is owed", () => {
  const pace = create();
  for (let count = 0; count < 50; count++) pace.take(new Uint8Array(2_000), 0).length;
  expect(pace.take(new Uint8Array(2_000), 0).length).toBe(0);
  expect(pace.take(new Uint8Array(2_000), 5_000).length).toBe(2_000);
});

test("whoever sends odd chunks is held to the pace, too", () => {
  const pace = create();
  let passed = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) passed += pace.take(new Uint8Array(2_001), nowMs).length;
  expect(passed / 100).toBeGreaterThan(9_900);
  expect(passed / 100).toBeLessThan(10_300);
});

test("what passes after a gap is aligned, however the samples were cut", () => {
  const pace = create();
  const random = createRandom(7);
  let [sent, passed] = [0, 0];
  for (let nowMs = 0; nowMs < 20_000; nowMs += 10) {
    const chunk = new Uint8Array(Math.floor(random() * 4_000));
    for (let at = 0; at < chunk.length; at++) chunk[at] = (sent + at) % 2;
    sent += chunk.length;
    const taken = pace.take(chunk, nowMs);
    expect(taken.every((half, at) => half === (passed + at) % 2)).toBe(true);
    passed += taken.length;
  }
  expect(passed).toBeLessThan(sent);
});

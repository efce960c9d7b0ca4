import { expect, test } from "bun:test";
import { Samples } from "./samples.ts";

function sampled(): Samples {
  const samples = new Samples();
  for (const value of [3, 1, 2]) samples.keep("down", "broker", value);
  samples.keep("down", "haproxy", 4);
  samples.keep("down", "nginx", 8);
  samples.keep("up", "broker", 3);
  samples.keep("up", "haproxy", 3);
  return samples;
}

test("compares the medians with each peer that was measured, and judges beside HAProxy alone", () => {
  const rows = sampled().rows("down", "CPU", { unit: "s/GB", goal: { on: "ratio", atMost: 0.4 } });
  expect(rows.map(({ beside, ours, ratio, met }) => ({ beside, ours, ratio, met }))).toEqual([
    { beside: "haproxy", ours: 2, ratio: 0.5, met: false },
    { beside: "nginx", ours: 2, ratio: 0.25, met: null },
  ]);
});

test("says nothing of what was not measured", () => {
  expect(sampled().rows("p50", "round trip", { unit: "µs" })).toEqual([]);
  expect(sampled().meanRatio(["down", "up"], "nginx")).toBeUndefined();
});

test("weighs each ratio alike in the mean", () => {
  expect(sampled().meanRatio(["down", "up"], "haproxy")).toBe(0.75);
});

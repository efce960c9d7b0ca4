import { describe, expect, test } from "bun:test";
import { asId, type DiId } from "../ids.ts";
import { planUnpacking, type UnpackTry } from "./plan-unpacking.ts";

const [ONE, TWO] = [asId<DiId>(1), asId<DiId>(2)];
const NOW_MS = 10_000_000;

function failed(failures: number, agoMs: number, code = "storage-full"): UnpackTry {
  return { failures, failedAtMs: NOW_MS - agoMs, fault: { code, text: "it did not work" } };
}

describe("a box unpacks", () => {
  type Case = readonly [
    rule: string,
    packed: DiId[],
    tries: [DiId, UnpackTry][],
    next?: DiId | undefined,
    inMs?: number,
  ];
  const cases: readonly Case[] = [
    ["nothing when nothing is packed", [], []],
    ["the first of those that wait", [TWO, ONE], [], TWO],
    ["the next one when the first has just failed", [TWO, ONE], [[TWO, failed(1, 100)]], ONE],
    ["a failed one again after its pause", [ONE], [[ONE, failed(1, 5_000)]], ONE],
    ["nothing before the pause is over", [ONE], [[ONE, failed(1, 1_000)]], undefined, 4_000],
    ["later each time that there is no room", [ONE], [[ONE, failed(3, 1_000)]], undefined, 19_000],
    ["at least every five minutes when there is no room", [ONE], [[ONE, failed(50, 300_000)]], ONE],
    [
      "seldom what is wrong in another way",
      [ONE],
      [[ONE, failed(1, 30_000, "image-broken")]],
      undefined,
      30_000,
    ],
    ["at least every hour what is wrong", [ONE], [[ONE, failed(50, 3_600_000, "image-broken")]], ONE],
    [
      "whichever is due first",
      [ONE, TWO],
      [
        [ONE, failed(2, 1_000)],
        [TWO, failed(1, 2_000)],
      ],
      undefined,
      3_000,
    ],
    ["without regard to failures of images that are gone", [ONE], [[TWO, failed(1, 0)]], ONE],
  ];
  for (const [rule, packed, tries, next, inMs] of cases)
    test(rule, () => {
      const wakeAtMs = inMs === undefined ? undefined : NOW_MS + inMs;
      expect(planUnpacking(packed, new Map(tries), NOW_MS)).toEqual({ next, wakeAtMs });
    });
});

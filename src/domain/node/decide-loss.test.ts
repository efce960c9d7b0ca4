import { describe, expect, test } from "bun:test";
import { decideLoss, type LossFacts } from "./decide-loss.ts";

const LOST: LossFacts = {
  counterUnchangedForMs: 10_000,
  databaseForMs: 60_000,
  row: { hasLapsed: true, fences: true },
  validMs: 10_000,
};

test("a box is lost when its row has lapsed and its counter stood still for as long", () => {
  expect(decideLoss(LOST)).toEqual({
    isLost: true,
    reason: "its row has lapsed and its counter has stood still for 10.0 s",
  });
});

describe("a box is not lost", () => {
  const cases: readonly [rule: string, facts: Partial<LossFacts>, reason: RegExp][] = [
    ["while its row is valid", { row: { hasLapsed: false, fences: true } }, /row in the database is valid/],
    ["while its counter moves", { counterUnchangedForMs: 9_999 }, /seen to change 10\.0 s ago/],
    [
      "for one validity after the database's return",
      { databaseForMs: 9_999 },
      /has been back for 10\.0 s only/,
    ],
    [
      "when it never promised to stop its desktops",
      { row: { hasLapsed: true, fences: false } },
      /may run there/,
    ],
  ];
  for (const [rule, facts, reason] of cases)
    test(rule, () => {
      const verdict = decideLoss({ ...LOST, ...facts });
      expect(verdict.isLost).toBe(false);
      expect(verdict.reason).toMatch(reason);
    });
});

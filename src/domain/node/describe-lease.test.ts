import { describe, expect, test } from "bun:test";
import { describeLease, type LeaseSeen } from "./describe-lease.ts";

const HELD: LeaseSeen = {
  epoch: 3,
  isValid: true,
  lapsedMs: null,
  lostMs: null,
  facts: {
    epoch: 3,
    isHeld: true,
    phase: "held",
    fences: true,
    rowAgeMs: 1_240,
    counterAgeMs: 400,
    trouble: "",
  },
};

describe("the right to run of a box", () => {
  const cases: readonly [rule: string, seen: Partial<LeaseSeen>, text: string][] = [
    [
      "that is held tells of both halves",
      {},
      "held (epoch 3); row renewed 1.2 s before its last report; counter renewed 0.4 s before its last report; another box would take over",
    ],
    ["of an older box tells what it knows", { facts: { epoch: 3, isHeld: true } }, "held (epoch 3)"],
    [
      "of a box alone says that nobody could take over",
      { facts: { epoch: 3, isHeld: true, fences: false, rowAgeMs: null, counterAgeMs: null } },
      "held (epoch 3); no other box could take over",
    ],
    [
      "of a box that can't renew says so",
      { facts: { epoch: 3, isHeld: false, phase: "frozen", trouble: "the storage is away" } },
      "held (epoch 3), its desktops frozen; the storage is away",
    ],
    ["that lapsed long ago", { isValid: false, lapsedMs: 600_000 }, "lapsed 10 min ago (epoch 3)"],
    ["that has lapsed", { isValid: false, lapsedMs: 12_000 }, "lapsed 12 s ago (epoch 3)"],
    [
      "that was taken over",
      { isValid: false, lostMs: 5_000 },
      "lost 5.0 s ago: its desktops were taken over (epoch 3)",
    ],
    ["that never was", { epoch: null }, "none: it may not run desktops"],
  ];
  for (const [rule, seen, text] of cases)
    test(rule, () => expect(describeLease({ ...HELD, ...seen })).toBe(text));
});

import { describe, expect, test } from "bun:test";
import { acceptRenewal, decideLease, type LeaseFacts, lapseAtMs, type Renewals } from "./decide-lease.ts";
import { leaseTimes } from "./lease-times.ts";

const TIMES = leaseTimes(10_000);
const AT_0: Renewals = { rowAtMs: 100_000, counterAtMs: 100_000 };
const HELD: LeaseFacts = {
  nowMs: 101_000,
  phase: "held",
  fences: true,
  hasEpochMoved: false,
  renewals: AT_0,
  isFrozen: false,
};

describe("a keeper", () => {
  type Case = readonly [rule: string, facts: Partial<LeaseFacts>, action: string];
  const cases: readonly Case[] = [
    ["does nothing while the right is held", {}, "none"],
    ["goes on as long as a renewal is young enough", { nowMs: 107_499 }, "none"],
    ["freezes before the lapse when neither half could be renewed", { nowMs: 107_500 }, "freeze"],
    ["goes on by the counter alone", { nowMs: 117_000, renewals: { ...AT_0, counterAtMs: 116_000 } }, "none"],
    ["goes on by the row alone", { nowMs: 117_000, renewals: { ...AT_0, rowAtMs: 116_000 } }, "none"],
    ["freezes at once when it wakes up late", { nowMs: 500_000 }, "freeze"],
    ["freezes once", { nowMs: 108_000, phase: "frozen", isFrozen: true }, "none"],
    ["thaws when it was renewed", { phase: "frozen", isFrozen: true }, "thaw"],
    ["thaws what the node process froze meanwhile", { isFrozen: true }, "thaw"],
    [
      "leaves frozen what nothing renewed, however long",
      { nowMs: 900_000, phase: "frozen", isFrozen: true },
      "none",
    ],
    ["gives up when the epoch has moved on", { hasEpochMoved: true }, "lose"],
    ["gives up frozen desktops too", { hasEpochMoved: true, phase: "frozen", isFrozen: true }, "lose"],
    ["gives up once", { hasEpochMoved: true, phase: "lost" }, "none"],
    ["never lets anything lapse with nobody to hand over to", { nowMs: 900_000, fences: false }, "none"],
    ["gives up even then when the epoch has moved on", { fences: false, hasEpochMoved: true }, "lose"],
  ];
  for (const [rule, facts, action] of cases)
    test(rule, () => expect(decideLease({ ...HELD, ...facts }, TIMES).action).toBe(action as "none"));
});

describe("a renewal", () => {
  const by = { times: TIMES, fences: true };
  test("counts from when it was sent", () => {
    const after = acceptRenewal(AT_0, { half: "row", sentAtMs: 103_000, doneAtMs: 104_000 }, by);
    expect(lapseAtMs(after, TIMES)).toBe(113_000);
  });
  test("of the counter counts before the lapse", () => {
    const after = acceptRenewal(AT_0, { half: "counter", sentAtMs: 108_000, doneAtMs: 108_900 }, by);
    expect(after.counterAtMs).toBe(108_000);
  });
  test("of the counter proves nothing once another may have taken over", () => {
    for (const doneAtMs of [109_000, 110_000, 400_000])
      expect(acceptRenewal(AT_0, { half: "counter", sentAtMs: 108_000, doneAtMs }, by)).toEqual(AT_0);
  });
  test("of the row counts however late: the database has looked at the epoch", () => {
    const after = acceptRenewal(AT_0, { half: "row", sentAtMs: 400_000, doneAtMs: 400_100 }, by);
    expect(after.rowAtMs).toBe(400_000);
  });
  test("that was sent before another one moves nothing back", () => {
    const renewed = { rowAtMs: 105_000, counterAtMs: 105_000 };
    for (const half of ["row", "counter"] as const)
      expect(acceptRenewal(renewed, { half, sentAtMs: 101_000, doneAtMs: 105_500 }, by)).toEqual(renewed);
  });
});

/** A keeper whose renewals fail at random, and a taker that sees them late: they must never both act. */
test("no taker finds both halves lapsed while a keeper's desktops run", () => {
  let state = 7;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  for (let run = 0; run < 300; run++) {
    let renewals: Renewals = { rowAtMs: 0, counterAtMs: 0 };
    // What the world has: when the database's row was written, and when the last counter reached the storage.
    let [rowDoneMs, counterDoneMs] = [0, 0];
    for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
      const half = random() < 0.5 ? ("row" as const) : ("counter" as const);
      const isSent = random() < 0.02;
      const doneAtMs = nowMs + random() * 400;
      if (isSent) {
        const lapsed = nowMs > Math.max(rowDoneMs, counterDoneMs) + TIMES.validMs;
        if (lapsed) break;
        renewals = acceptRenewal(
          renewals,
          { half, sentAtMs: nowMs, doneAtMs },
          { times: TIMES, fences: true },
        );
        if (half === "row") rowDoneMs = doneAtMs;
        else counterDoneMs = doneAtMs;
      }
      const mayTake = nowMs >= rowDoneMs + TIMES.validMs && nowMs >= counterDoneMs + TIMES.validMs;
      const facts = { ...HELD, nowMs, renewals };
      if (mayTake) expect(decideLease(facts, TIMES).action).toBe("freeze");
    }
  }
});

import { describe, expect, test } from "bun:test";
import { DI, factsOf, type Given, NOW_MS, sessionOf } from "../../../test/support/vm-facts.ts";
import { needsTurn, stopReason, wantsDown } from "./wish.ts";

describe("a desktop is wanted down", () => {
  const cases: readonly [rule: string, wished: Given["wished"], isWantedDown: boolean][] = [
    ["when its wish is to be stopped", { wish: "stopped" }, true],
    ["when it is deleted, whatever its wish", { wish: "running", isDeleted: true }, true],
    ["when the box goes down, whatever its wish", { wish: "running", isBoxStopping: true }, true],
    ["not when somebody wants it", { wish: "running" }, false],
    [
      "not because it is blocked: that keeps it from starting",
      { wish: "running", blockedReason: "x" },
      false,
    ],
    [
      "not because its image is gone: it runs on",
      { wish: "running", image: { kind: "unusable", text: "x" } },
      false,
    ],
  ];
  for (const [rule, wished, isWantedDown] of cases)
    test(rule, () => expect(wantsDown(factsOf({ wished: wished ?? {} }).desired)).toBe(isWantedDown));
});

describe("a turn to start is needed", () => {
  const RUNNING = { wish: "running" } as const;
  const cases: readonly [rule: string, given: Given, isNeeded: boolean][] = [
    ["before the container is up", { report: { state: "starting_1" } }, true],
    ["until the agent answers", { report: { state: "starting_2" } }, true],
    [
      "until the agent answers, even of one that is to stop: it still takes the box's strength",
      { report: { state: "starting_2" }, wished: { wish: "stopped" } },
      true,
    ],
    [
      "until its early session listens, which is what somebody waits for",
      {
        report: { state: "starting_2" },
        seen: { earlySession: { sessionId: sessionOf().id, isListening: false } },
      },
      true,
    ],
    [
      "no longer by one whose early session listens",
      {
        report: { state: "starting_2" },
        seen: { earlySession: { sessionId: sessionOf().id, isListening: true } },
      },
      false,
    ],
    ["not by a desktop that runs", { report: { state: "running" } }, false],
    ["not by one that is stopped, though wished", { wished: RUNNING }, false],
    ["not by one on its way down", { report: { state: "stopping_2" }, wished: RUNNING }, false],
    [
      "not by one that is called off",
      { report: { state: "starting_1" }, wished: { wish: "stopped" } },
      false,
    ],
    ["not before its next try", { report: { state: "starting_1", nextTryAtMs: NOW_MS + 1 } }, false],
    ["when its next try has come", { report: { state: "starting_1", nextTryAtMs: NOW_MS } }, true],
    [
      "not while its image is being checked",
      { report: { state: "starting_1" }, wished: { image: { kind: "pending", text: "x" } } },
      false,
    ],
    [
      "while its image is being unpacked: that is part of the start",
      { report: { state: "starting_1" }, wished: { image: { kind: "ready", diId: DI, isUnpacked: false } } },
      true,
    ],
  ];
  for (const [rule, given, isNeeded] of cases)
    test(rule, () => {
      const { desired, observed } = factsOf(given);
      expect(needsTurn(desired, observed, NOW_MS)).toBe(isNeeded);
    });
});

describe("why a desktop is stopped is said", () => {
  const cases: readonly [wished: NonNullable<Given["wished"]>, reason: string][] = [
    [{ wishedBy: "user:anna@acme" }, "anna@acme asked for it"],
    [{ wishedBy: "administrator:root@*" }, "administrator root asked for it"],
    [{ wishedBy: "vm:3" }, "the desktop itself asked for it"],
    [{ isDeleted: true, isBoxStopping: true }, "the desktop is being deleted"],
    [{ isBoxStopping: true }, "the node is shutting down"],
  ];
  for (const [wished, reason] of cases)
    test(reason, () => expect(stopReason(factsOf({ wished }).desired)).toBe(reason));
});

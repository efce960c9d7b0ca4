import { describe, expect, test } from "bun:test";
import { X_STATES, type XState } from "../../domain/session/x-state.ts";
import { nextState, type SessionEvent } from "./state.ts";

const EVENTS = [
  "start-ordered",
  "wake-ordered",
  "waiting-for-client",
  "client-connected",
  "suspend-began",
  "suspended",
  "resume-began",
  "end-began",
  "gone",
] as const satisfies readonly SessionEvent[];

describe("nextState", () => {
  const lives: readonly (readonly [string, XState, readonly SessionEvent[], XState])[] = [
    ["a first connect", "none", ["start-ordered", "waiting-for-client", "client-connected"], "connected"],
    ["a client that vanishes", "connected", ["suspend-began", "suspended"], "suspended"],
    [
      "a resume",
      "suspended",
      ["wake-ordered", "resume-began", "waiting-for-client", "client-connected"],
      "connected",
    ],
    ["nobody comes after a resume", "listening", ["suspend-began", "suspended"], "suspended"],
    ["nobody comes after the first start", "listening", ["end-began", "gone"], "none"],
    ["a log-out", "connected", ["end-began", "gone"], "none"],
    ["a crash", "connected", ["gone"], "none"],
  ];
  for (const [what, from, events, to] of lives) {
    test(`follows ${what}`, () => {
      expect(events.reduce<XState>((state, event) => nextState(state, event) ?? state, from)).toBe(to);
    });
  }

  test("has no session any more when its processes are gone, from every state", () => {
    for (const state of X_STATES) expect(nextState(state, "gone")).toBe("none");
  });

  test("refuses a start over a session that exists", () => {
    for (const state of X_STATES) {
      expect(nextState(state, "start-ordered")).toBe(state === "none" ? "starting" : undefined);
    }
  });

  test("wakes nothing but a suspended session", () => {
    for (const state of X_STATES) {
      expect(nextState(state, "wake-ordered")).toBe(state === "suspended" ? "starting" : undefined);
    }
  });

  test("lets an ending session do nothing but end", () => {
    const possible = EVENTS.filter((event) => nextState("stopping", event) !== undefined);
    expect(possible).toEqual(["gone"]);
  });

  test("does not believe a log without a session", () => {
    const possible = EVENTS.filter((event) => nextState("none", event) !== undefined);
    expect(possible).toEqual(["start-ordered", "gone"]);
  });
});

import { expect, test } from "bun:test";
import { describeEndCause } from "./end-cause.ts";
import { sessionPhase } from "./session-phase.ts";

const at = new Date(0);
const none = { connectedAt: null, supersededAt: null, endedAt: null };
const table = [
  ["waiting", none],
  ["connected", { ...none, connectedAt: at }],
  ["ended", { ...none, endedAt: at }],
  ["ended", { ...none, connectedAt: at, endedAt: at }],
  ["ended", { ...none, connectedAt: at, supersededAt: at }],
  ["ended", { ...none, supersededAt: at }],
] as const;
for (const [phase, times] of table)
  test(`${phase}: ${Object.entries(times).flatMap(([name, time]) => (time ? [name] : []))}`, () => {
    expect(sessionPhase(times)).toBe(phase);
  });

test("a cause that nobody knows here stands for itself", () => {
  expect(describeEndCause("superseded")).toBe("a newer client took over");
  expect(describeEndCause("eaten-by-a-grue")).toBe("eaten-by-a-grue");
  expect(describeEndCause("toString")).toBe("toString");
});

import { expect, test } from "bun:test";
import { NEVER_REPORTED, type VmReport } from "../domain/vm/facts.ts";
import { isWaiting } from "./read-news.ts";

type Case = { readonly report?: Partial<VmReport>; readonly isRunning?: boolean };

const memory = ({ report, isRunning }: Case) =>
  ({
    desktop: { wish: "running" },
    report: { ...NEVER_REPORTED, state: "running", ...report },
    running: isRunning ? { action: "report" as const, abort: new AbortController() } : undefined,
  }) as const;

test.each<[string, Case, boolean]>([
  ["is none that is as it is wished", {}, false],
  ["may be one that is not as it is wished", { report: { state: "stopped" } }, true],
  ["is none that something is done to", { report: { state: "starting_1" }, isRunning: true }, false],
  ["is none whose turn will come", { report: { state: "starting_1", queuePosition: 3 } }, false],
])("what waits for something that nobody tells %s", (_what, given, expected) => {
  expect(isWaiting(memory(given))).toBe(expected);
});

import { describe, expect, test } from "bun:test";
import { planOf } from "../../../test/support/vm-facts.ts";
import { planTable } from "../../../test/support/vm-plan-table.ts";
import type { VmFailure } from "./facts.ts";
import { isHeldDisk } from "./plan-held-disk.ts";

describe("a home that another box holds", () => {
  const held: VmFailure = { action: "prepare-disks", code: "conflict", text: "its lock is held" };
  const cases: readonly [rule: string, failure: VmFailure, isHeld: boolean][] = [
    ["is told by the lock's refusal", held, true],
    ["is not a disk that fails otherwise", { ...held, code: "storage-full" }, false],
    ["is not a conflict of another step", { ...held, action: "start-container" }, false],
  ];
  for (const [rule, failure, isHeld] of cases) test(rule, () => expect(isHeldDisk(failure)).toBe(isHeld));
});

const WAITING = { state: "starting_1", fault: { code: "disk-held", text: "box2 has it" } } as const;

planTable("a start that waited for its home", [
  [
    "tells of its life once it has the home, and before that begins: one that only waits tells nothing",
    { wished: { wish: "running" }, report: WAITING },
    ["prepare-disks", "report disks-ready", "start-container", "report starting_2 container-started"],
  ],
  [
    "tells first that it is in no queue any more",
    { wished: { wish: "running" }, report: { ...WAITING, queuePosition: 2 } },
    [
      "report",
      "prepare-disks",
      "report disks-ready",
      "start-container",
      "report starting_2 container-started",
    ],
  ],
]);

test("a life that waited for its home is counted before it begins", () => {
  const { steps } = planOf({ wished: { wish: "running" }, report: { ...WAITING, incarnation: 7 } });
  expect(steps.map(({ action, args }) => ("incarnation" in args ? [action, args.incarnation] : []))).toEqual([
    [],
    ["report", 8],
    ["start-container", 8],
    [],
  ]);
});

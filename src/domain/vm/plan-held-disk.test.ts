import { describe, expect, test } from "bun:test";
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

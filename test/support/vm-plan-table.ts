/** Tables of the planner's tests: a rule, the facts, and the plan in short. */

import { describe, expect, test } from "bun:test";
import { formatPlan, type Given, NOW_MS, planOf } from "./vm-facts.ts";

export type PlanCase = readonly [rule: string, given: Given, steps: readonly string[], wakeInMs?: number];

export const FAILED = { code: "driver-failed", text: "it did not work" } as const;
/** Wishes newer than what `factsOf` says was seen. */
export const WISHED_RUNNING = { wish: "running", generation: 2 } as const;
export const WISHED_STOPPED = { wish: "stopped", generation: 2 } as const;
export const DEAD = { isAlive: false };

export function planTable(name: string, cases: readonly PlanCase[]): void {
  describe(name, () => {
    for (const [rule, given, steps, wakeInMs] of cases)
      test(rule, () => {
        const plan = planOf(given);
        expect(formatPlan(plan)).toEqual([...steps]);
        expect(plan.wakeAtMs).toBe(wakeInMs === undefined ? undefined : NOW_MS + wakeInMs);
      });
  });
}

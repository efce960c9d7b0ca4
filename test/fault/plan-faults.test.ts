import { describe, expect, test } from "bun:test";
import { type FaultPlanOptions, planFaults } from "./plan-faults.ts";

const OPTIONS: FaultPlanOptions = { seed: 3, durationMs: 600_000, nodes: 3, leaseMs: 5_000 };

describe("the faults of a run", () => {
  test("are the same for the same seed, and others for another", () => {
    expect(planFaults(OPTIONS)).toEqual(planFaults(OPTIONS));
    expect(planFaults({ ...OPTIONS, seed: 4 })).not.toEqual(planFaults(OPTIONS));
  });
  test("end within the run, one at a time on each thing, some shorter and some longer than a lease", () => {
    for (let seed = 1; seed < 50; seed++) {
      const faults = planFaults({ ...OPTIONS, seed });
      for (const thing of [0, 1, 2, undefined]) {
        const own = faults.filter(({ node }) => node === thing);
        expect(own.length).toBeGreaterThan(5);
        for (const [index, fault] of own.entries()) {
          expect(fault.untilMs).toBeLessThanOrEqual(OPTIONS.durationMs);
          expect(fault.atMs).toBeGreaterThanOrEqual(own[index - 1]?.untilMs ?? 0);
        }
      }
      const long = faults.filter(({ atMs, untilMs }) => untilMs - atMs > OPTIONS.leaseMs);
      expect(long.length).toBeGreaterThan(5);
      expect(long.length).toBeLessThan(faults.length - 5);
    }
  });
});

import { describe, expect, test } from "bun:test";
import { type Given, NOW_MS, planOf } from "../../../test/support/vm-facts.ts";
import { FAILED, WISHED_RUNNING, WISHED_STOPPED } from "../../../test/support/vm-plan-table.ts";
import { VM_LIMITS } from "./facts.ts";

describe("what a plan writes", () => {
  const patches = (given: Given) =>
    planOf(given).steps.flatMap((step) => (step.action === "report" ? [step.args] : []));

  test("a try backs off 2 s, then 4 s", () => {
    for (const [tries, waitMs] of [
      [0, 2_000],
      [1, 4_000],
    ] as const) {
      const failure = { ...FAILED, action: "start-container" } as const;
      const [patch] = patches({ report: { state: "starting_1", tries }, seen: { failure } });
      expect(patch).toMatchObject({ tries: tries + 1, nextTryAtMs: NOW_MS + waitMs });
    }
  });

  test("a start that was given up keeps the reason of its last failure", () => {
    const failure = { ...FAILED, action: "start-container" } as const;
    const [patch] = patches({ report: { state: "starting_1", tries: 2 }, seen: { failure } });
    expect(patch).toMatchObject({ fault: { code: "start-given-up", text: FAILED.text }, nextTryAtMs: null });
    expect(patch?.events?.at(-1)?.text).toBe("Given up after 3 tries: it did not work");
  });

  test("a refusal leaves no try for the same wish", () => {
    const [patch] = patches({ wished: { ...WISHED_RUNNING, blockedReason: "unpaid" } });
    expect(patch).toMatchObject({ tries: VM_LIMITS.mostTries, generationSeen: 2 });
    expect(patch?.fault?.text).toContain("unpaid");
  });

  test("an order to stop forgets earlier faults, and names who gave it", () => {
    const [patch] = patches({ report: { state: "running", tries: 2 }, wished: WISHED_STOPPED });
    expect(patch).toMatchObject({ tries: 0, fault: null, generationSeen: 2 });
    expect(patch?.events?.[0]?.text).toBe("The desktop is being shut down: anna@acme asked for it.");
  });

  test("a box that goes down leaves wish and tries as they are, so that the desktop starts again with it", () => {
    const [patch] = patches({ report: { state: "running", tries: 1 }, wished: { isBoxStopping: true } });
    expect(patch).not.toHaveProperty("generationSeen");
    expect(patch).not.toHaveProperty("tries");
  });

  test("a power-off from inside names the generation that it saw, so that a newer wish stands", () => {
    const plan = planOf({ report: { state: "running" }, agent: { isPoweringOff: true } });
    expect(plan.steps[0]).toMatchObject({ action: "wish-stopped", args: { generation: 1 } });
  });

  test("every step says why", () => {
    for (const given of [
      { wished: WISHED_RUNNING },
      { report: { state: "starting_1" } },
      { report: { state: "running" }, wished: WISHED_STOPPED },
    ] as const)
      for (const step of planOf(given).steps) expect(step.reason.length).toBeGreaterThan(5);
  });
});

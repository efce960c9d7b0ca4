/**
 * Every combination of what bears on a plan, likely or not: a planner that is right for the expected ones only
 * leaves desktops stuck, or starts them twice, in the others. What must hold for each is said below, once.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import { DI, factsOf, type Given, NOW_MS, sessionOf } from "../../../test/support/vm-facts.ts";
import { FAILED } from "../../../test/support/vm-plan-table.ts";
import { applyReport } from "./apply-report.ts";
import { VM_LIMITS, type VmDesired, type VmImage, type VmObserved, type VmPlan } from "./facts.ts";
import { planVm } from "./plan.ts";
import { nextStates, VM_STATES } from "./state.ts";
import type { VmAction } from "./steps.ts";
import { wantsDown } from "./wish.ts";

const IMAGES: readonly VmImage[] = [
  { kind: "ready", diId: DI, isUnpacked: true },
  { kind: "ready", diId: DI, isUnpacked: false },
  { kind: "pending", text: "It is being checked." },
  { kind: "unusable", text: "It is broken." },
];
const FAILURES: readonly (VmAction | undefined)[] = [
  undefined,
  "start-container",
  "clean-up",
  "ask-poweroff",
  "halt",
  "prepare-session",
];
const SESSIONS = [undefined, sessionOf(), sessionOf({ state: "listening" })] as const;
const BOTH = [true, false] as const;

type World = { readonly desired: VmDesired; readonly observed: VmObserved; readonly plan: VmPlan };

/** Those of a desired side that stay the same while the observed one is varied. */
function* wishes(): Generator<NonNullable<Given["wished"]>> {
  for (const wish of ["running", "stopped"] as const)
    for (const generation of [1, 2])
      for (const image of IMAGES)
        for (const isDeleted of BOTH)
          for (const isBoxStopping of BOTH)
            for (const blockedReason of [undefined, "unpaid"])
              for (const session of SESSIONS)
                yield { wish, generation, image, isDeleted, isBoxStopping, blockedReason, session };
}

function* sights(): Generator<Pick<Given, "report" | "agent" | "seen">> {
  for (const state of VM_STATES)
    for (const isAlive of BOTH)
      for (const isAttached of BOTH)
        for (const leftovers of isAlive ? [["mount"]] : [["mount"], []])
          for (const action of FAILURES)
            for (const [tries, hasLease] of [
              [0, true],
              [2, true],
              [3, false],
            ] as const)
              yield {
                report: { state, tries, stateAtMs: NOW_MS - 1_000 },
                agent: { isAttached: isAlive && isAttached },
                seen: {
                  ...{ isAlive, leftovers, hasLease },
                  failure: action === undefined ? undefined : { ...FAILED, action },
                },
              };
}

describe("whatever is wished and whatever is seen", () => {
  const worlds: World[] = [];
  beforeAll(() => {
    const seen = [...sights()];
    // Every wish with every third sight, each time another third: all pairs, in a second.
    let turn = 0;
    for (const wished of wishes()) {
      turn++;
      for (let index = turn % 3; index < seen.length; index += 3) {
        const { desired, observed } = factsOf({ ...seen[index], wished });
        const plan = planVm(desired, observed, { nowMs: NOW_MS, limits: VM_LIMITS });
        worlds.push({ desired, observed, plan });
      }
    }
  });

  /** Fails with the first world that breaks the rule, as it is. */
  function holds(rule: (world: World) => boolean): void {
    expect(worlds.length).toBeGreaterThan(50_000);
    expect(worlds.find((world) => !rule(world))).toBeUndefined();
  }
  const does = (world: World, ...actions: readonly VmAction[]) =>
    world.plan.steps.some(({ action }) => actions.includes(action));

  test("states change only as the diagram allows", () => {
    holds(({ observed, plan }) => {
      let { report } = observed;
      for (const step of plan.steps)
        if (step.action === "report") report = applyReport(report, step.args, NOW_MS);
      return report !== undefined;
    });
  });

  test("every transition of the table is made by some plan: none is listed in vain", () => {
    const made = new Set<string>();
    for (const { observed, plan } of worlds) {
      let { state } = observed.report;
      for (const step of plan.steps) {
        const next = step.action === "report" ? (step.args.state ?? state) : state;
        if (next !== state) made.add(`${state} to ${next}`);
        state = next;
      }
    }
    const listed = VM_STATES.flatMap((from) => nextStates(from).map((to) => `${from} to ${to}`));
    expect([...made].sort()).toEqual(listed.sort());
  });

  test("the same facts give the same plan", () => {
    holds(({ desired, observed, plan }) =>
      Bun.deepEquals(plan, planVm(desired, observed, { nowMs: NOW_MS, limits: VM_LIMITS })),
    );
  });

  test("a desktop is started only where somebody wants it, it may, and nothing of it lies about", () => {
    holds((world) => {
      const { desired, observed } = world;
      if (!does(world, "unpack-image", "prepare-disks", "start-container")) return true;
      const mayRun = desired.blockedReason === undefined && desired.image.kind === "ready";
      const isClear = !observed.isAlive && observed.leftovers.length === 0;
      return !wantsDown(desired) && mayRun && isClear && observed.hasLease && observed.queuePosition === 0;
    });
  });

  test("the lack of a lease keeps a desktop from starting, and ends none", () => {
    holds((world) => {
      const { desired, observed, plan } = world;
      const isWell = observed.report.state === "running" && observed.failure === undefined;
      if (observed.hasLease || wantsDown(desired) || !isWell || !observed.isAlive) return true;
      return !plan.steps.some(({ action }) => ["ask-poweroff", "halt", "terminate", "kill"].includes(action));
    });
  });

  test("nothing is cleaned up, set aside or forgotten of a desktop that lives", () => {
    holds((world) => !world.observed.isAlive || !does(world, "clean-up", "retire-home", "delete-row"));
  });

  test("home and row go only with a desktop that is deleted and stopped", () => {
    holds(
      (world) =>
        !does(world, "retire-home", "delete-row") ||
        (world.desired.isDeleted && world.observed.report.state === "stopped"),
    );
  });

  test("KILL and TERM to the monitor come after what is gentler", () => {
    holds((world) => {
      const { state } = world.observed.report;
      if (does(world, "kill")) return state === "zombie_1" || state === "zombie_2";
      return !does(world, "terminate") || state === "stopping_2";
    });
  });

  test("a desktop that lives unwanted is acted on, or waited for with an end", () => {
    holds(({ desired, observed, plan }) => {
      if (!observed.isAlive || !wantsDown(desired)) return true;
      return plan.steps.length > 0 || plan.wakeAtMs !== undefined;
    });
  });

  test("a desktop that is dead is reported so, or cleaned up on the way there", () => {
    holds((world) => {
      const { observed, plan, desired } = world;
      const isOver = observed.isAlive || observed.report.state === "stopped";
      if (isOver || (observed.report.state === "starting_1" && !wantsDown(desired))) return true;
      return plan.steps.length > 0 || plan.wakeAtMs !== undefined;
    });
  });

  test("a client is not left waiting for a desktop that stays stopped", () => {
    holds((world) => {
      const { desired, observed } = world;
      if (desired.session?.state !== "requested" || observed.report.state !== "stopped") return true;
      if (observed.isAlive || observed.leftovers.length > 0 || !wantsDown(desired) || desired.isDeleted)
        return true;
      return does(world, "report-session", "report");
    });
  });

  test("the next look lies ahead", () => {
    holds(({ plan }) => plan.wakeAtMs === undefined || plan.wakeAtMs > NOW_MS);
  });

  test("each step has its reason, and each event is a sentence", () => {
    holds(({ plan }) =>
      plan.steps.every((step) => {
        const events = "events" in step.args ? (step.args.events ?? []) : [];
        return step.reason.length > 5 && events.every(({ text }) => /^[A-Z].{6,}/.test(text));
      }),
    );
  });

  test("a plan never says the same event twice", () => {
    holds(({ plan }) => {
      const codes = plan.steps.flatMap((step) =>
        step.action === "report" ? (step.args.events ?? []).map(({ code }) => code) : [],
      );
      return new Set(codes).size === codes.length;
    });
  });
});

import { describe, expect, test } from "bun:test";
import { SimWorld } from "../../../test/support/sim/world.ts";
import { VM_LIMITS, type VmPolicy } from "./facts.ts";
import type { VmAction, VmStep } from "./steps.ts";

const LIVES = 400;
const ROUNDS = 120;
/** Far more than any way from anywhere to rest takes. */
const MOST_ROUNDS_TO_REST = 200;

const UP: ReadonlySet<VmAction> = new Set(["unpack-image", "prepare-disks", "start-container"]);
const DOWN: ReadonlySet<VmAction> = new Set([
  "ask-poweroff",
  "halt",
  "terminate",
  "kill",
  "retire-home",
  "delete-row",
]);

/** Mulberry32: the same lives at each run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const BROKEN = { isOk: false, code: "no-answer", text: "it doesn't answer" } as const;

function randomPolicy(random: () => number): VmPolicy {
  const idleStopMs = [undefined, 0, 20_000][Math.floor(random() * 3)];
  return { idleStopMs, onCrash: random() < 0.5 ? "restart" : "leave" };
}

/** One thing that may happen to a desktop while its node looks elsewhere. */
function strike(world: SimWorld, random: () => number): void {
  const fate = random();
  if (fate < 0.12) world.wishFor(random() < 0.6 ? "running" : "stopped");
  else if (fate < 0.3) world.attachAgent();
  else if (fate < 0.36) world.loseAgent();
  else if (fate < 0.42 && world.isAlive) world.die();
  else if (fate < 0.46) world.hasLease = !world.hasLease;
  else if (fate < 0.5) world.isTurn = !world.isTurn;
  else if (fate < 0.54) world.isBlocked = !world.isBlocked;
  else if (fate < 0.58) world.isStubborn = !world.isStubborn;
  else if (fate < 0.62) world.requestSession(Math.ceil(random() * 100));
  else if (fate < 0.65 && world.agent.isAttached) world.agent = { ...world.agent, isPoweringOff: true };
  else if (fate < 0.68) world.forget();
  else if (fate < 0.7) world.isUnpacked = false;
  else if (fate < 0.73) world.policy = randomPolicy(random);
  else if (fate < 0.75) world.session = undefined;
  else if (fate < 0.78 && world.isAlive) world.network = random() < 0.5 ? { isOk: true } : BROKEN;
  else if (fate < 0.8) world.expiresSoftAtMs = world.nowMs + Math.floor(random() * 50_000);
  else if (fate < 0.82) world.expiresHardAtMs = world.nowMs + Math.floor(random() * 90_000);
  else if (fate < 0.84 && world.agent.isAttached) world.agent = { ...world.agent, xState: "suspended" };
  else world.nowMs += Math.floor(random() * 40_000);
}

/** Lives a troubled life of one desktop; `look` sees every plan with the world as it was then. */
function live(seed: number, look: (steps: readonly VmStep[], world: SimWorld) => void): SimWorld {
  const random = randomOf(seed);
  const world = new SimWorld(random);
  const isDeletedAt = random() < 0.3 ? Math.floor(random() * ROUNDS) : undefined;
  for (let round = 0; round < ROUNDS && !world.isGone; round++) {
    if (round === isDeletedAt) world.isDeleted = true;
    strike(world, random);
    const { steps } = world.plan();
    look(steps, world);
    world.carryOut(steps);
  }
  return world;
}

/** The trouble is over: agents come, steps succeed, time passes. Returns the rounds it took to come to rest. */
function rest(world: SimWorld): number {
  world.isCalm = true;
  world.hasLease = true;
  world.isTurn = true;
  if (world.network !== undefined) world.network = { isOk: true };
  for (let round = 1; round <= MOST_ROUNDS_TO_REST; round++) {
    if (world.isGone) return round;
    const plan = world.plan();
    world.carryOut(plan.steps);
    if (plan.steps.length > 0) continue;
    if (world.report.state === "starting_2" || (world.isAlive && !world.agent.isAttached))
      world.attachAgent();
    else if (plan.wakeAtMs === undefined) return round;
    if (plan.wakeAtMs !== undefined) world.nowMs = Math.max(world.nowMs + 1, plan.wakeAtMs);
  }
  return Number.POSITIVE_INFINITY;
}

const lives = Array.from({ length: LIVES }, (_, index) => index + 1);

describe("whatever happens to a desktop", () => {
  test("a plan never goes up and down at once", () => {
    for (const seed of lives)
      live(seed, (steps) => {
        const actions = steps.map((step) => step.action);
        expect(actions.some((action) => UP.has(action)) && actions.some((action) => DOWN.has(action))).toBe(
          false,
        );
      });
  });

  test("nothing is started without the lease, out of turn, blocked, unwanted or deleted", () => {
    for (const seed of lives)
      live(seed, (steps, world) => {
        if (!steps.some((step) => step.action === "start-container")) return;
        expect(world).toMatchObject({
          hasLease: true,
          isTurn: true,
          isBlocked: false,
          wish: "running",
          isDeleted: false,
        });
        expect(world.isAlive).toBe(false);
        expect(world.leftovers).toEqual([]);
      });
  });

  test("a living desktop is never cleaned up, nor its home set aside", () => {
    for (const seed of lives)
      live(seed, (steps, world) => {
        if (!world.isAlive) return;
        for (const { action } of steps)
          expect(["clean-up", "retire-home", "delete-row"]).not.toContain(action);
      });
  });

  test("a running desktop that somebody wants is not taken down", () => {
    for (const seed of lives)
      live(seed, (steps, world) => {
        const isFine = world.report.state === "running" && world.isAlive && world.wish === "running";
        if (!isFine || world.isDeleted || world.agent.isPoweringOff) return;
        expect(steps.filter((step) => DOWN.has(step.action))).toEqual([]);
      });
  });

  test("nobody is turned out as idle", () => {
    for (const seed of lives)
      live(seed, (steps, world) => {
        const isIdle = steps.some((step) => step.action === "wish-stopped" && step.args.cause === "idle");
        if (!isIdle) return;
        expect([seed, world.session]).toEqual([seed, undefined]);
        expect(world.policy.idleStopMs).toBeDefined();
      });
  });

  test("no policy's wish stands against a newer one", () => {
    for (const seed of lives)
      live(seed, (steps, world) => {
        for (const step of steps)
          if (step.action === "wish-stopped") expect(step.args.generation).toBe(world.generation);
      });
  });

  test("it is blocked only after so many failures of its own, and never again while it is", () => {
    for (const seed of lives)
      live(seed, (steps, world) => {
        if (!steps.some((step) => step.action === "block")) return;
        expect(world.isBlocked).toBe(false);
        expect(world.report.crashes + 1).toBeGreaterThanOrEqual(VM_LIMITS.mostCrashes);
      });
  });

  test("each life has a number of its own, higher than all before", () => {
    for (const seed of lives) {
      const { incarnations } = live(seed, () => {});
      expect(incarnations).toEqual([...new Set(incarnations)].sort((one, other) => one - other));
    }
  });

  test("the same facts give the same plan, and every step says why", () => {
    for (const seed of lives.slice(0, 50))
      live(seed, (steps, world) => {
        expect(world.plan().steps).toEqual([...steps]);
        for (const step of steps) expect(step.reason).not.toBe("");
      });
  });

  test("a plan without steps is not the end of a change that is under way: it says when to look again", () => {
    const ends = new Set(["stopping_1", "stopping_2", "zombie_1", "zombie_2"]);
    for (const seed of lives)
      live(seed, (steps, world) => {
        if (steps.length > 0 || !ends.has(world.report.state)) return;
        expect(world.plan().wakeAtMs).toBeGreaterThan(world.nowMs);
      });
  });
});

describe("when the trouble is over, a desktop comes to rest", () => {
  test("within a bounded number of looks", () => {
    for (const seed of lives) expect([seed, rest(live(seed, () => {}))]).toEqual([seed, expect.any(Number)]);
    for (const seed of lives) expect(rest(live(seed, () => {}))).toBeLessThan(MOST_ROUNDS_TO_REST);
  });

  test("as it is wished, or given up with a reason", () => {
    for (const seed of lives) {
      const world = live(seed, () => {});
      rest(world);
      if (world.isGone) continue;
      const { state, fault } = world.report;
      if (world.wish === "stopped") expect([seed, state]).toEqual([seed, "stopped"]);
      else
        expect([seed, state, fault?.code ?? "none"]).toEqual(
          state === "running" ? [seed, "running", "none"] : [seed, "stopped", "start-given-up"],
        );
      expect(world.isAlive).toBe(state === "running");
      if (state === "stopped") expect(world.leftovers).toEqual([]);
    }
  });

  test("a deleted one is gone", () => {
    for (const seed of lives) {
      const world = live(seed, () => {});
      rest(world);
      expect(world.isGone).toBe(world.isDeleted);
    }
  });

  test("and a client who waited has an answer", () => {
    for (const seed of lives) {
      const world = live(seed, () => {});
      rest(world);
      if (world.isGone || world.session === undefined) continue;
      expect(["listening", "failed"]).toContain(world.session.state);
    }
  });
});

test("a desktop that never comes up is started three times for one wish, however often it is looked at", () => {
  for (const seed of lives.slice(0, 50)) {
    const world = new SimWorld(randomOf(seed));
    world.isCalm = true;
    world.wishFor("running");
    for (let round = 0; round < 300; round++) {
      const plan = world.plan();
      world.carryOut(plan.steps);
      if (world.isAlive && round % 3 === 0) world.die();
      if (plan.wakeAtMs !== undefined) world.nowMs = plan.wakeAtMs;
    }
    expect(world.startsOfWish).toBe(VM_LIMITS.mostTries);
    expect(world.report).toMatchObject({ state: "stopped", fault: { code: "start-given-up" } });
    expect(world.trail.filter((event) => event.code === "start-given-up")).toHaveLength(1);
  }
});

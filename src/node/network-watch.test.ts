import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import type { PortHealth } from "../domain/node/port-health.ts";
import { silentLog } from "../lib/log.ts";
import type { VmMemory } from "./memory.ts";
import { NetworkWatch } from "./network-watch.ts";

const VM = asId<VmId>(7);
const BROKEN: PortHealth = { isOk: false, code: "no-answer", text: "it doesn't answer" };
const TIMES = { wellEveryMs: 1_000, illEveryMs: 100 };

/** What the watch reads of a desktop's memory. */
type Watched = Pick<VmMemory, "network"> & {
  desktop: Pick<VmMemory["desktop"], "vmId" | "address"> & { osf: { hasAgent: boolean } };
  report: { state: "starting_2" | "running"; incarnation: number };
};

function setUp(state: Watched["report"]["state"]) {
  const world = { nowMs: 0, isAttached: state === "running", asked: 0, woken: 0 };
  let answers: PromiseWithResolvers<PortHealth>[] = [];
  const later: (() => void)[] = [];
  const after = (_ms: number, call: () => void) => {
    later.push(call);
    return () => {};
  };
  const watch = new NetworkWatch(
    {
      network: {
        checkPort: () => {
          world.asked++;
          const answer = Promise.withResolvers<PortHealth>();
          answers.push(answer);
          return answer.promise;
        },
      } as unknown as ConstructorParameters<typeof NetworkWatch>[0]["network"],
      clock: { nowMs: () => world.nowMs, monotonicMs: () => world.nowMs },
      channels: { read: () => ({ isAttached: world.isAttached }) as never },
      hypervisor: {},
      timers: { after, every: () => () => {} },
      log: silentLog(),
      wake: () => void world.woken++,
    },
    TIMES,
  );
  const memory: Watched = {
    network: undefined,
    desktop: { vmId: VM, address: "10.77.0.9", osf: { hasAgent: true } },
    report: { state, incarnation: 1 },
  };
  /** The watch reads no more of a desktop than is here. */
  const look = () =>
    watch.look(memory as unknown as VmMemory, {
      isAlive: true,
      agent: { isAttached: world.isAttached, changedAtMs: 0, xState: "none", isPoweringOff: false },
    });
  const answer = async (health: PortHealth) => {
    for (const waiting of answers) waiting.resolve(health);
    answers = [];
    await Bun.sleep(0);
  };
  return { world, memory, look, answer, later };
}

describe("a desktop that boots", () => {
  test("is asked before its agent is there, so that nobody waits for the answer", async () => {
    const { world, memory, look, answer } = setUp("starting_2");
    expect(look()).toBe(false);
    await answer({ isOk: true });
    expect(memory.network?.seen).toEqual({ isOk: true });
    world.isAttached = true;
    expect(look()).toBe(false);
    expect(world.asked).toBe(1);
  });

  test("isn't judged by an answer that came too early", async () => {
    const { world, memory, look, answer } = setUp("starting_2");
    look();
    world.isAttached = true;
    await answer(BROKEN);
    expect(memory.network).toBeUndefined();
    expect(world.woken).toBe(1);
    expect(look()).toBe(true);
    await answer({ isOk: true });
    expect(look()).toBe(false);
  });

  test("waits for the answer once its agent is there, and is believed at once", async () => {
    const { world, memory, look, answer } = setUp("starting_2");
    world.isAttached = true;
    expect(look()).toBe(true);
    expect(look()).toBe(true);
    expect(world.asked).toBe(1);
    await answer(BROKEN);
    expect(memory.network?.seen).toEqual(BROKEN);
    expect(world.woken).toBe(1);
  });
});

describe("a desktop that runs", () => {
  test("is asked now and then, and wakes nobody while all is well", async () => {
    const { world, look, answer } = setUp("running");
    look();
    await answer({ isOk: true });
    world.nowMs = 999;
    look();
    expect(world.asked).toBe(1);
    world.nowMs = 1_000;
    look();
    await answer({ isOk: true });
    expect([world.asked, world.woken]).toEqual([2, 1]);
  });

  test("that was well is asked again before it is held to be broken", async () => {
    const { world, memory, look, answer, later } = setUp("running");
    look();
    await answer({ isOk: true });
    world.nowMs = 1_000;
    look();
    await answer(BROKEN);
    expect(memory.network?.seen).toEqual({ isOk: true });
    expect(later).toHaveLength(1);
    world.nowMs = 1_100;
    look();
    await answer(BROKEN);
    expect(memory.network?.seen).toEqual(BROKEN);
    world.nowMs = 1_200;
    look();
    await answer({ isOk: true });
    expect(memory.network?.seen).toEqual({ isOk: true });
  });

  test("isn't told of the life before", async () => {
    const { memory, look, answer } = setUp("running");
    look();
    memory.report.incarnation = 2;
    await answer(BROKEN);
    expect(memory.network).toBeUndefined();
  });

  test("is not asked without our agent: its network is its own", () => {
    const { world, memory, look } = setUp("running");
    memory.desktop.osf.hasAgent = false;
    expect(look()).toBe(false);
    expect(world.asked).toBe(0);
  });
});

import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { createLog } from "../lib/log.ts";
import type { VmMemory } from "./memory.ts";
import { WayWatch } from "./way-watch.ts";

/** What the watch reads of a desktop's memory. */
type Watched = Pick<VmMemory, "way"> & {
  desktop: Pick<VmMemory["desktop"], "vmId">;
  report: Pick<VmMemory["report"], "state" | "stateAtMs">;
};

const MINUTE_MS = 60_000;

function setUp() {
  /** `answer` is the driver's. */
  const world = { nowMs: 1_000, answer: async () => false, asked: [] as number[], warnings: 0 };
  const timers: { atMs: number; call: () => void }[] = [];
  const watch = new WayWatch({
    hypervisor: {
      widenWay: (vmId) => {
        world.asked.push(vmId);
        return world.answer();
      },
    },
    clock: { nowMs: () => world.nowMs, monotonicMs: () => world.nowMs },
    timers: {
      after: (ms, call) => {
        timers.push({ atMs: world.nowMs + ms, call });
        return () => {};
      },
      every: () => () => {},
    },
    log: createLog({ level: "warn", now: () => new Date(0), write: () => void world.warnings++ }),
  });
  const memoryOf = (id: number): Watched => ({
    way: undefined,
    desktop: { vmId: asId<VmId>(id) },
    report: { state: "running", stateAtMs: 1_000 },
  });
  /** The watch reads no more of a desktop than is here. */
  const look = (memory: Watched) => watch.look(memory as VmMemory);
  const pass = async (ms: number) => {
    world.nowMs += ms;
    for (const timer of timers.splice(0))
      if (timer.atMs <= world.nowMs) timer.call();
      else timers.push(timer);
    await Bun.sleep(0);
  };
  return { world, memoryOf, look, pass };
}

describe("the way of a desktop", () => {
  test("is asked about some seconds after its start, without a look, and then once a minute", async () => {
    const { world, memoryOf, look, pass } = setUp();
    const memory = memoryOf(7);
    for (let again = 0; again < 3; again++) look(memory);
    await pass(4_999);
    expect(world.asked).toEqual([]);
    await pass(1);
    look(memory);
    await pass(10_000);
    look(memory);
    await pass(0);
    expect(world.asked).toEqual([7]);
    for (let minute = 0; minute < 3; minute++) {
      await pass(MINUTE_MS);
      look(memory);
      await pass(0);
    }
    expect(world.asked).toEqual([7, 7, 7, 7]);
  });

  test("is asked about at once by a node that finds it running for long", async () => {
    const { world, memoryOf, look, pass } = setUp();
    const memory = memoryOf(7);
    memory.report = { state: "running", stateAtMs: -MINUTE_MS };
    look(memory);
    await pass(0);
    expect(world.asked).toEqual([7]);
  });

  test("is no matter while it boots, nor once it goes down or has another life", async () => {
    const { world, memoryOf, look, pass } = setUp();
    const [booting, ending, another] = [memoryOf(1), memoryOf(2), memoryOf(3)];
    booting.report = { state: "starting_2", stateAtMs: 0 };
    for (const memory of [booting, ending, another]) look(memory);
    ending.report = { state: "stopping_1", stateAtMs: 2_000 };
    another.way = undefined;
    await pass(5_000);
    expect(world.asked).toEqual([]);
  });

  test("that fails is told once, asked about less and less, and no other's matter", async () => {
    const { world, memoryOf, look, pass } = setUp();
    world.answer = () => Promise.reject(new Error("no such device"));
    const memory = memoryOf(7);
    for (let minute = 0; minute < 600; minute++) {
      look(memory);
      await pass(MINUTE_MS);
    }
    expect(world.warnings).toBe(1);
    // Eight times in the first two hours, and once in each that follows.
    expect(world.asked.length).toBeGreaterThan(10);
    expect(world.asked.length).toBeLessThan(20);
    world.answer = async () => true;
    const other = memoryOf(8);
    other.report = { state: "running", stateAtMs: 0 };
    look(other);
    await pass(0);
    expect(world.asked.at(-1)).toBe(8);
    expect(world.warnings).toBe(1);
  });

  test("that somebody inside always takes away is put back less and less often", async () => {
    const { world, memoryOf, look, pass } = setUp();
    world.answer = async () => true;
    const memory = memoryOf(7);
    for (let minute = 0; minute < 600; minute++) {
      look(memory);
      await pass(MINUTE_MS);
    }
    expect(world.asked.length).toBeLessThan(20);
    expect(world.warnings).toBe(0);
    world.answer = async () => false;
    for (let minute = 0; minute < 130; minute++) {
      look(memory);
      await pass(MINUTE_MS);
    }
    expect(world.asked.length).toBeGreaterThan(60);
  });

  test("waits for the one before", async () => {
    const { world, memoryOf, look, pass } = setUp();
    const first = Promise.withResolvers<boolean>();
    world.answer = () => first.promise;
    const [one, other] = [memoryOf(1), memoryOf(2)];
    for (const memory of [one, other]) look(memory);
    await pass(5_000);
    expect(world.asked).toEqual([1]);
    first.resolve(true);
    await pass(0);
    expect(world.asked).toEqual([1, 2]);
  });
});

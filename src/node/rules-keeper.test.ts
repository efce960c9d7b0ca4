import { describe, expect, test } from "bun:test";
import { silentLog } from "../lib/log.ts";
import { RulesKeeper } from "./rules-keeper.ts";

type Answer = boolean | Error;

function setUp(answers: Answer[]) {
  const world = { nowMs: 1_000, looked: 0, told: [] as (string | undefined)[], troubles: 0, listeners: 0 };
  const later: (() => void)[] = [];
  const each: (() => void)[] = [];
  let change: (by: string | undefined) => void = () => {};
  const keeper = new RulesKeeper({
    network: {
      mendRules: async () => {
        world.looked++;
        const answer = answers.shift() ?? false;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      watchRules: (onChange, signal) => {
        change = onChange;
        const { addEventListener: add, removeEventListener: remove } = signal;
        signal.addEventListener = (...args: Parameters<typeof add>) => {
          world.listeners++;
          add.apply(signal, args);
        };
        signal.removeEventListener = (...args: Parameters<typeof remove>) => {
          world.listeners--;
          remove.apply(signal, args);
        };
      },
    },
    onPutBack: ({ by }) => void world.told.push(by),
    onTrouble: () => void world.troubles++,
    clock: { nowMs: () => world.nowMs, monotonicMs: () => world.nowMs },
    timers: {
      after: (_ms, call) => {
        later.push(call);
        return () => {};
      },
      every: (_ms, call) => {
        each.push(call);
        return () => {};
      },
    },
    log: silentLog(),
  });
  keeper.start();
  const settle = () => Bun.sleep(0);
  const goOn = async () => {
    for (const call of later.splice(0)) call();
    await settle();
  };
  return { world, keeper, settle, goOn, hear: (by?: string) => change(by), minute: () => each[0]?.() };
}

describe("the keeper of a box's rules", () => {
  test("puts them back when it hears of a change, and tells whose it was", async () => {
    const { world, keeper, settle, hear } = setUp([true]);
    hear("nft (process 9)");
    await settle();
    expect(world).toMatchObject({ looked: 1, told: ["nft (process 9)"], troubles: 1 });
    expect(keeper.trouble).toEqual({ times: 1, atMs: 1_000, by: "nft (process 9)", fault: undefined });
  });

  test("looks each minute as well, for what it didn't hear", async () => {
    const { world, settle, minute } = setUp([false, true]);
    minute();
    await settle();
    expect(world).toMatchObject({ looked: 1, told: [], troubles: 0 });
    minute();
    await settle();
    expect(world).toMatchObject({ looked: 2, told: [undefined], troubles: 1 });
  });

  test("answers each of many changes without a crowd of looks, and tells once a minute", async () => {
    const { world, keeper, settle, goOn, hear } = setUp([true, true, true]);
    for (let times = 0; times < 50; times++) hear("firewalld (process 3)");
    await settle();
    expect(world.looked).toBe(1);
    await goOn();
    expect(world.looked).toBe(2);
    hear("firewalld (process 3)");
    await goOn();
    expect(world).toMatchObject({ looked: 3, told: ["firewalld (process 3)"], troubles: 1 });
    expect(keeper.trouble?.times).toBe(3);
  });

  test("leaves nothing behind where another program takes them away for days", async () => {
    const { world, settle, goOn, hear } = setUp(Array.from({ length: 100 }, () => true));
    hear("firewalld (process 3)");
    await settle();
    const { listeners } = world;
    for (let times = 0; times < 50; times++) {
      hear("firewalld (process 3)");
      await goOn();
    }
    expect(world).toMatchObject({ looked: 51, listeners });
    world.nowMs += 60_000;
    hear("firewalld (process 3)");
    await goOn();
    expect(world).toMatchObject({ told: Array(2).fill("firewalld (process 3)"), troubles: 2 });
  });

  test("looks again for what it hears of while a look is ending", async () => {
    for (let turns = 0; turns < 20; turns++) {
      const { world, settle, hear } = setUp([false, false]);
      hear();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      hear();
      await settle();
      expect(world.looked, `after ${turns} turns`).toBe(2);
    }
  });

  test("tries again what failed, and says so until it is done", async () => {
    const { world, keeper, settle, goOn, hear } = setUp([new Error("no nft"), true]);
    hear("nft (process 9)");
    await settle();
    expect(keeper.trouble).toMatchObject({ fault: "no nft", times: 0 });
    expect(world.told).toEqual([]);
    await goOn();
    expect(keeper.trouble).toMatchObject({ fault: undefined, times: 1, by: "nft (process 9)" });
    expect(world.told).toEqual(["nft (process 9)"]);
  });

  test("no longer speaks of it after an hour", async () => {
    const { world, keeper, settle, hear } = setUp([true]);
    hear();
    await settle();
    world.nowMs += 3_600_000;
    expect(keeper.trouble).toBeDefined();
    world.nowMs += 1;
    expect(keeper.trouble).toBeUndefined();
  });

  test("does nothing after its end", async () => {
    const { world, keeper, settle, hear } = setUp([true]);
    keeper.stop();
    hear();
    await settle();
    expect(world.looked).toBe(0);
  });
});

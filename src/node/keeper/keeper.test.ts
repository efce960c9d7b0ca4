import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { asId, type NodeId } from "../../domain/ids.ts";
import { leaseTimes } from "../../domain/node/lease-times.ts";
import { silentLog } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import type { RowRenewal } from "../lease/row.ts";
import { Keeper, type KeeperDeps } from "./keeper.ts";

const TIMES = leaseTimes(1_000);
const NODE = asId<NodeId>(7);
const MOST_STEP_MS = 300;

/** A box in memory: what was done to its desktops, in order, and switches for what answers. */
class World {
  readonly done: string[] = [];
  readonly told: { phase: string; epoch: number; fences: boolean }[] = [];
  row: RowRenewal | "away" = { isStanding: true, peers: 1 };
  isStorageAway = false;
  isFrozen = false;
  isEmpty = true;
  /** What a sleep of the machine adds to its clock. */
  sleptMs = 0;
  counters = 0;
  readonly countersOf = new Set<NodeId>();
  thawMs = 0;
  /** A freezing of a disk is under way and hangs with its storage. */
  isFreezing = false;
  #keeper: Keeper | undefined;
  readonly #clock = { ms: performance.now(), askedAtMs: performance.now() };

  /** Stands nearly still with this process: a busy machine must not look like one that slept. It is asked four times a second. */
  #tell(): number {
    const nowMs = performance.now();
    this.#clock.ms += Math.min(nowMs - this.#clock.askedAtMs, MOST_STEP_MS);
    this.#clock.askedAtMs = nowMs;
    return this.#clock.ms;
  }

  start(more: Partial<KeeperDeps> = {}): void {
    const act = (what: string, isFrozen = this.isFrozen) => {
      this.done.push(what);
      this.isFrozen = isFrozen;
    };
    const world = this;
    this.#keeper = new Keeper({
      nodeId: NODE,
      row: {
        read: async () => ({ epoch: 1, isLost: false }),
        renew: async () => {
          if (world.row === "away") throw new Error("no database");
          return world.row;
        },
        retake: async () => {
          world.done.push("retake");
          world.row = { isStanding: true, peers: 1 };
          return 9;
        },
      },
      findNode: async () => NODE,
      writeCounter: async (nodeId) => {
        world.countersOf.add(nodeId);
        if (world.isStorageAway) throw new Error("no storage");
        world.counters++;
      },
      boxId: "box",
      fence: {
        freezeProcesses: () => act("freeze", true),
        freezeDisks: async (which = "all") => {
          act(which === "all" ? "freeze-disks" : "freeze-new-disks");
          return true;
        },
        thawDisks: async () => {
          act("thaw-disks");
          return !world.isFreezing;
        },
        shutDownDisks: async () => act("shut-down-disks"),
        thaw: async (isStill = () => true) => {
          await Bun.sleep(world.thawMs);
          if (isStill()) act("thaw", false);
        },
        get isFrozen() {
          return world.isFrozen;
        },
        get isEmpty() {
          return world.isEmpty;
        },
        kill: async () => {
          world.isEmpty = true;
          act("kill");
          return true;
        },
        dropDisks: async () => act("drop-disks"),
      },
      before: undefined,
      tell: ({ phase, epoch, fences }) => void this.told.push({ phase, epoch, fences }),
      endNode: async () => act("end-node"),
      patWatchdog: () => {},
      bootMs: () => this.#tell() + this.sleptMs,
      times: TIMES,
      log: silentLog(),
      ...more,
    });
    this.#keeper.start();
  }

  async stop(): Promise<void> {
    await this.#keeper?.stop();
  }

  did(what: string, timeoutMs = 5_000): Promise<true | undefined> {
    return waitFor(() => this.done.includes(what) || undefined, { timeoutMs });
  }

  /** Until the keeper fences in earnest. */
  isHeld(): Promise<true | undefined> {
    const isHeld = () =>
      this.told.some(({ phase, epoch, fences }) => phase === "held" && epoch === 1 && fences);
    return waitFor(() => isHeld() || undefined, { timeoutMs: 5_000 });
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

describe("a keeper", () => {
  test.each([
    { peers: 0, looks: 4 },
    { peers: 1, looks: 11 },
  ])("of a box with $peers peers looks $looks times in a second", async ({ peers, looks }) => {
    let nowMs = 0;
    let look = () => {};
    let done = 0;
    const every = (_ms: number, call: () => void) => {
      look = call;
      return () => {};
    };
    world.row = { isStanding: true, peers };
    const timers = { every, after: () => () => {} };
    world.start({ timers, bootMs: () => nowMs, patWatchdog: () => void done++ });
    while (nowMs < 1_000) {
      await Bun.sleep(0);
      nowMs += 100;
      look();
    }
    expect(done).toBe(looks);
  });

  /** When a keeper that found its desktops frozen thaws the disks, of a clock that goes on by itself. */
  async function thawTimes(untilMs: number, atEach: (nowMs: number) => void = () => {}): Promise<number[]> {
    let nowMs = 0;
    let look = () => {};
    const every = (_ms: number, call: () => void) => {
      look = call;
      return () => {};
    };
    // The node process froze them while no keeper spoke.
    world.isFrozen = true;
    world.start({ timers: { every, after: () => () => {} }, bootMs: () => nowMs });
    const thawsAtMs: number[] = [];
    while (nowMs < untilMs) {
      const before = world.done.length;
      atEach(nowMs);
      await Bun.sleep(0);
      nowMs += 100;
      look();
      await Bun.sleep(0);
      if (world.done.slice(before).includes("thaw-disks")) thawsAtMs.push(nowMs);
    }
    return thawsAtMs;
  }

  test("thaws the disks again for five minutes, since another's freezing may come late", async () => {
    const thawsAtMs = await thawTimes(400_000);
    expect(world.done[0]).toBe("thaw");
    expect(thawsAtMs.filter((atMs) => atMs < 31_000)).toHaveLength(5);
    expect(thawsAtMs.filter((atMs) => atMs > 31_000)).toHaveLength(9);
    expect(Math.max(...thawsAtMs)).toBeLessThan(305_000);
    expect(world.done).not.toContain("freeze");
  }, 30_000);

  test("goes on thawing as long as a freezing hangs, and five minutes longer", async () => {
    const thawsAtMs = await thawTimes(900_000, (nowMs) => {
      world.isFreezing = nowMs < 400_000;
    });
    expect(Math.max(...thawsAtMs)).toBeGreaterThan(660_000);
    expect(Math.max(...thawsAtMs)).toBeLessThan(710_000);
  }, 60_000);

  test("renews both halves and touches nothing", async () => {
    world.start();
    expect(await world.isHeld()).toBe(true);
    expect(await waitFor(() => world.counters >= 5 || undefined, { timeoutMs: 5_000 })).toBe(true);
    expect(world.done).toEqual([]);
  });

  test("lets the desktops run while either half is renewed", async () => {
    world.start();
    await world.isHeld();
    world.row = "away";
    expect(await world.did("freeze", TIMES.validMs * 1.5)).toBeUndefined();
    world.row = { isStanding: true, peers: 1 };
    world.isStorageAway = true;
    expect(await world.did("freeze", TIMES.validMs * 1.5)).toBeUndefined();
  });

  test("freezes when neither can be, thaws when the epoch stands", async () => {
    world.start();
    await world.isHeld();
    world.row = "away";
    world.isStorageAway = true;
    expect(await world.did("freeze-disks")).toBe(true);
    expect(await world.did("thaw", TIMES.validMs * 1.2)).toBeUndefined();
    // The counter alone says nothing of the epoch any more.
    world.isStorageAway = false;
    expect(await world.did("thaw", TIMES.validMs * 1.2)).toBeUndefined();
    world.row = { isStanding: true, peers: 1 };
    expect(await world.did("thaw")).toBe(true);
    expect(world.done.filter((what) => what !== "freeze-new-disks")).toEqual([
      "freeze",
      "freeze-disks",
      "thaw",
    ]);
  });

  test("freezes what a start under way mounts after the others were frozen, until it thaws", async () => {
    world.start();
    await world.isHeld();
    world.row = "away";
    world.isStorageAway = true;
    expect(await world.did("freeze-new-disks")).toBe(true);
    world.row = { isStanding: true, peers: 1 };
    expect(await world.did("thaw")).toBe(true);
    world.done.length = 0;
    expect(await world.did("freeze-new-disks", 1_500)).toBeUndefined();
  });

  test("kills everything, and the node process, when another box has taken over", async () => {
    world.start();
    await world.isHeld();
    world.row = { isStanding: false, peers: 0 };
    expect(await world.did("thaw")).toBe(true);
    expect(world.done).toEqual(["freeze", "kill", "end-node", "kill", "drop-disks", "retake", "thaw"]);
    await waitFor(() => world.told.at(-1)?.phase === "held", { timeoutMs: 5_000 });
    expect(world.told.at(-1)).toMatchObject({ phase: "held", epoch: 9 });
  });

  test("lets nothing run when it learns of the loss in the midst of a thaw", async () => {
    world.start();
    await world.isHeld();
    world.thawMs = 1_500;
    // As if the node process had frozen them: the keeper begins to thaw.
    world.isFrozen = true;
    await Bun.sleep(300);
    world.row = { isStanding: false, peers: 0 };
    expect(await world.did("retake", 8_000)).toBe(true);
    expect(world.done.slice(0, world.done.indexOf("retake"))).not.toContain("thaw");
  });

  test("freezes before all else when the machine slept past the lapse", async () => {
    let standsAtMs: number | undefined;
    world.start({ bootMs: () => (standsAtMs ?? performance.now()) + world.sleptMs });
    await world.isHeld();
    // From here on nothing lapses but by the sleep.
    standsAtMs = performance.now();
    world.row = "away";
    world.isStorageAway = true;
    world.sleptMs = 60_000;
    expect(await world.did("freeze")).toBe(true);
    expect(world.done[0]).toBe("freeze");
  });

  test("with nobody to hand over to lets nothing lapse", async () => {
    world.row = { isStanding: true, peers: 0 };
    world.start();
    await waitFor(() => world.counters > 1 || undefined, { timeoutMs: 5_000 });
    world.row = "away";
    world.isStorageAway = true;
    expect(await world.did("freeze", TIMES.validMs * 1.5)).toBeUndefined();
  });

  test("finds what its predecessor froze, and thaws it when the epoch stands", async () => {
    world.isFrozen = true;
    const renewals = { rowAtMs: 1, counterAtMs: 0 };
    const before = {
      ...{ bootId: "b", boxId: "box" },
      pid: 1,
      nodeId: 7,
      epoch: 1,
      phase: "frozen",
      fences: true,
      renewals,
      beatMs: 1,
      trouble: "",
    } as const;
    world.start({ before });
    expect(await world.did("thaw")).toBe(true);
  });

  test("goes on giving up what its predecessor had lost", async () => {
    const renewals = { rowAtMs: 1, counterAtMs: 0 };
    const before = {
      ...{ bootId: "b", boxId: "box" },
      pid: 1,
      nodeId: 7,
      epoch: 1,
      phase: "lost",
      fences: true,
      renewals,
      beatMs: 1,
      trouble: "",
    } as const;
    world.start({ before });
    expect(await world.did("retake")).toBe(true);
    expect(world.done.slice(0, 2)).toEqual(["freeze", "kill"]);
  });

  test("of a box that was removed and is registered anew keeps the right of the new node", async () => {
    const again = asId<NodeId>(8);
    const renewed: NodeId[] = [];
    const row = {
      read: async () => ({ epoch: 1, isLost: false }),
      renew: async (nodeId: NodeId) => {
        renewed.push(nodeId);
        return { isStanding: nodeId === again || renewed.length < 2, peers: 1 };
      },
      retake: async (nodeId: NodeId) => (nodeId === again ? 2 : undefined),
    };
    world.start({ row, findNode: async () => again });
    const isBack = () => world.told.some(({ phase, epoch }) => phase === "held" && epoch === 2) || undefined;
    expect(await waitFor(isBack, { timeoutMs: 5_000 })).toBe(true);
    expect(await waitFor(() => world.countersOf.has(again) || undefined, { timeoutMs: 5_000 })).toBe(true);
    expect(await waitFor(() => renewed.at(-1) === again || undefined, { timeoutMs: 5_000 })).toBe(true);
    expect(world.done).toContain("drop-disks");
  });

  test("does not take the word of a predecessor for another box's node, as in a database that was made anew", async () => {
    const own = asId<NodeId>(8);
    const renewed: NodeId[] = [];
    const row = {
      read: async () => ({ epoch: 1, isLost: false }),
      renew: async (nodeId: NodeId) => {
        renewed.push(nodeId);
        return { isStanding: true, peers: 1 };
      },
      retake: async () => 2,
    };
    const before = {
      ...{ bootId: "b", boxId: "box", pid: 1, nodeId: 7, epoch: 1, fences: true, trouble: "" },
      phase: "held",
      renewals: { rowAtMs: performance.now(), counterAtMs: 0 },
      beatMs: 1,
    } as const;
    world.start({ row, before, findNode: async () => own });
    expect(await waitFor(() => renewed.length > 0 || undefined, { timeoutMs: 5_000 })).toBe(true);
    expect(new Set(renewed)).toEqual(new Set([own]));
    expect(world.done.slice(0, 5)).toEqual(["freeze", "kill", "end-node", "kill", "drop-disks"]);
  });

  test("that is ended takes the desktops with it where others could take over", async () => {
    world.start();
    await world.isHeld();
    world.isEmpty = false;
    await world.stop();
    expect(world.done).toEqual(["kill"]);
  });
});

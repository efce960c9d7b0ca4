import { describe, expect, test } from "bun:test";
import { createLog } from "../../lib/log.ts";
import { type GiveUpDeps, giveUp } from "./give-up.ts";

/** A box that gives up: what it did in order, how long it paused between its tries, and what it told. */
class Box {
  readonly did: string[] = [];
  readonly pausesMs: number[] = [];
  readonly told: string[] = [];
  /** What a kill answers, the last one for ever. */
  kills = [true];
  /** What retaking answers, one after the other. */
  epochs: (number | undefined)[] = [9];
  dropFaults: string[] = [];

  giveUp(): Promise<number> {
    const act = (what: string) => void this.did.push(what);
    const fence: GiveUpDeps["fence"] = {
      freezeProcesses: () => act("freeze"),
      freezeDisks: async () => true,
      thawDisks: async () => true,
      shutDownDisks: async () => act("shut-down-disks"),
      thaw: async () => act("thaw"),
      isFrozen: true,
      isEmpty: false,
      kill: async () => {
        act("kill");
        return (this.kills.length > 1 ? this.kills.shift() : this.kills[0]) ?? true;
      },
      dropDisks: async () => {
        act("drop-disks");
        const fault = this.dropFaults.shift();
        if (fault !== undefined) throw new Error(fault);
      },
    };
    return giveUp({
      fence,
      endNode: async () => act("end-node"),
      retake: async () => (this.epochs.length > 1 ? this.epochs.shift() : this.epochs[0]),
      timers: {
        every: () => () => {},
        after: (ms, call) => {
          this.pausesMs.push(ms);
          queueMicrotask(call);
          return () => {};
        },
      },
      log: createLog({
        level: "debug",
        now: () => new Date(0),
        write: (line) => void this.told.push(JSON.parse(line).event),
      }),
    });
  }
}

describe("giving up an epoch", () => {
  test("ends all of it and returns the new one", async () => {
    const box = new Box();
    expect(await box.giveUp()).toBe(9);
    expect(box.did).toEqual(["freeze", "kill", "end-node", "kill", "drop-disks", "thaw"]);
    expect(box.told).toEqual([]);
  });

  test("shuts the disks down for a process that no kill reaches, since it may wait for a frozen one", async () => {
    const box = new Box();
    box.kills = [false, true];
    expect(await box.giveUp()).toBe(9);
    expect(box.did.slice(0, 5)).toEqual(["freeze", "kill", "end-node", "shut-down-disks", "kill"]);
  });

  test("of a node that was removed asks every five seconds, and tells it once in ten minutes", async () => {
    const box = new Box();
    box.epochs = [...Array.from({ length: 121 }, () => undefined), 9];
    expect(await box.giveUp()).toBe(9);
    expect(box.pausesMs).toHaveLength(121);
    expect(new Set(box.pausesMs)).toEqual(new Set([5_000]));
    expect(box.told).toEqual(["node-removed", "node-removed"]);
  });

  test("tells the reason of a failure when it is another than the last time", async () => {
    const box = new Box();
    box.dropFaults = ["loop7", "loop7", "loop8", "loop8"];
    expect(await box.giveUp()).toBe(9);
    expect(box.told).toEqual(["epoch-not-given-up", "epoch-not-given-up"]);
  });
});

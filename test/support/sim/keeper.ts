/** The real keeper over a simulated machine: what it freezes, thaws and kills are simulated desktops. */

import type { NodeId } from "../../../src/domain/ids.ts";
import { lapseAtMs } from "../../../src/domain/node/decide-lease.ts";
import { leaseTimes } from "../../../src/domain/node/lease-times.ts";
import type { Fence } from "../../../src/node/keeper/fence.ts";
import { Keeper } from "../../../src/node/keeper/keeper.ts";
import type { KeeperFile, KeeperOrigin } from "../../../src/node/lease/keeper-file.ts";
import type { LeaseState, NodeLease } from "../../../src/node/lease/node-lease.ts";
import { readOrMakeRow, renewRow, retakeRow } from "../../../src/node/lease/row.ts";
import type { SimBox } from "./box.ts";
import type { SimLink } from "./database.ts";

export const SIM_LEASE_TIMES = leaseTimes();

export type KeptBox = Pick<
  SimBox,
  "name" | "hypervisor" | "disks" | "shared" | "site" | "say" | "isFenced" | "setFenced" | "endProcess"
>;

type Told = Omit<KeeperFile, keyof KeeperOrigin | "pid">;

export class SimKeeper {
  readonly #keeper: Keeper;
  told: Told | undefined;

  constructor(
    box: KeptBox,
    of: { readonly nodeId: NodeId; readonly link: SimLink; readonly before: Told | undefined },
  ) {
    const { nodeId, link, before } = of;
    const { db } = link;
    const { validMs } = SIM_LEASE_TIMES;
    const { time } = box.site;
    const deps = {
      nodeId,
      row: {
        read: () => readOrMakeRow(db, nodeId, validMs),
        renew: (_id: NodeId, epoch: number, fences: boolean) =>
          renewRow(db, { nodeId, epoch, validMs, fences }),
        retake: () => retakeRow(db, nodeId, validMs),
      },
      findNode: async () => nodeId,
      writeCounter: async (_id: NodeId, { count }: { readonly count: number }) => {
        if (box.disks.isCut) throw new Error("the storage doesn't answer");
        box.shared.set(nodeId, `${count}`);
      },
      boxId: `box-of-${box.name}`,
      fence: fenceOf(box),
      before: before === undefined ? undefined : { ...before, bootId: "boot", boxId: "box", pid: 1 },
      tell: (file: Told) => {
        if (file.phase !== (this.told?.phase ?? "held")) box.say(`right to run ${file.phase}`);
        this.told = file;
      },
      endNode: async () => box.endProcess(),
      patWatchdog: () => {},
      bootMs: () => time.nowMs,
      timers: time.timersOf(link.owner),
      times: SIM_LEASE_TIMES,
      log: box.site.logOf(box.name),
    };
    this.#keeper = new Keeper(deps);
  }

  start(): void {
    this.#keeper.start();
  }
}

/** As the node process reads what its keeper told. */
export function leaseFrom(read: () => Told | undefined, nowMs: () => number): NodeLease {
  const state = (): LeaseState => {
    const told = read();
    const none = { rowAgeMs: null, counterAgeMs: null, trouble: "" };
    if (told === undefined) return { epoch: 0, isHeld: false, phase: "unknown", fences: false, ...none };
    const leftMs = lapseAtMs(told.renewals, SIM_LEASE_TIMES) - nowMs();
    const isNear = told.fences && leftMs <= SIM_LEASE_TIMES.freezeBeforeMs;
    const isHeld = told.phase === "held" && told.epoch > 0 && !isNear;
    return { epoch: told.epoch, isHeld, phase: told.phase, fences: told.fences, ...none };
  };
  return {
    get state() {
      return state();
    },
    start: async () => {},
    stop: () => {},
  };
}

/** It has every method that a keeper calls; a class with private fields can't be written down otherwise. */
function fenceOf(box: KeptBox): Fence {
  const alive = async () => [...(await box.hypervisor.observe()).values()].filter((one) => one.isAlive);
  const fence = {
    freezeProcesses: () => box.setFenced(true),
    freezeDisks: async () => true,
    thaw: async () => box.setFenced(false),
    thawDisks: async () => true,
    shutDownDisks: async () => {},
    get isFrozen() {
      return box.isFenced;
    },
    isEmpty: false,
    kill: async () => {
      for (const { vmId } of await alive()) await box.hypervisor.kill(vmId);
      return (await alive()).length === 0;
    },
    dropDisks: async () => box.disks.mounted.clear(),
  };
  return fence as unknown as Fence;
}

/**
 * A box with nothing but what speaks to the database: the product's loop, lease, reporter's statement, wakes and
 * watch, over simulated desktops. Many of them live in one process.
 */

import { openDatabase } from "../../src/db/client.ts";
import type { DatabaseAddress } from "../../src/db/url.ts";
import type { DiId, NodeId, VmId } from "../../src/domain/ids.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { leaseTimes } from "../../src/domain/node/lease-times.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { VM_LIMITS } from "../../src/domain/vm/facts.ts";
import { SimHypervisor } from "../../src/hypervisor/sim/sim-hypervisor.ts";
import { systemClock, type Timers } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import type { LoopDeps } from "../../src/node/deps.ts";
import { gatherWakes } from "../../src/node/gather-wakes.ts";
import { OwnLease } from "../../src/node/lease/own-lease.ts";
import { NodeLoop } from "../../src/node/loop.ts";
import { isAtWork } from "../../src/node/memory.ts";
import { placeDesktops } from "../../src/node/place-desktops.ts";
import { reportNode } from "../../src/node/report/report-node.ts";
import { SiteWakes } from "../../src/node/site-wakes.ts";
import { NodesWatch } from "../../src/node/takeover/nodes-watch.ts";
import { parseWake } from "../../src/wire/wake/messages.ts";
import { SimDisks } from "../../test/support/sim/disks.ts";
import { SimGuests } from "../../test/support/sim/guests.ts";

export type LeanNodeOptions = {
  readonly nodeId: NodeId;
  readonly address: DatabaseAddress;
  readonly folder: string;
  readonly diId: DiId;
  /** Shared by the nodes of a process. */
  readonly timers: Timers;
};

const REPORT_EVERY_MS = 10_000;
const CONNECTIONS = 2;
const MEMORY_MB = 32_768;

export async function startLeanNode(options: LeanNodeOptions): Promise<void> {
  const { nodeId, address, folder, diId, timers } = options;
  const name = `node${nodeId}`;
  const log = silentLog();
  const { orm: db } = openDatabase(address, { max: CONNECTIONS });
  const node = { nodeId, name };
  const lease = new OwnLease({ db, nodeId, timers }, log, () => systemClock.monotonicMs());
  await lease.start();
  const guests = new SimGuests();
  const hypervisor = new SimHypervisor({
    timers,
    makeGuest: ({ vmId }, behaviour) => guests.make(vmId, behaviour),
    hasDisk: () => true,
    traits: { startMs: 0, bootMs: 0 },
  });
  const disks = new SimDisks(timers);
  disks.mountMs = 0;
  disks.bases.add(diId);
  const hasLease = () => lease.state.isHeld;
  const deps: LoopDeps = {
    ...{ node, db, hypervisor, hasLease, log, timers, clock: systemClock },
    settings: {
      ...{ instance: name, layout: layoutOf(`${folder}/${nodeId}`, `${folder}/${nodeId}`) },
      ...{ idRangeFirst: 1_000_000, range: parseNetworkRange("10.64.0.0/10"), agentExecutable: "/bin/true" },
      ...{ parallelStarts: 8, parallelStops: 8, limits: VM_LIMITS },
    },
    storage: disks.storage(),
    network: leanNetwork(),
    channels: guests.openChannels(timers, (vmId, event) => loop.takeGuestEvent(vmId, event)),
    // A real box tells its own brokers and admin besides, by a socket.
    tell: (wake, reach) => {
      if (reach !== "box") outside.add(wake);
    },
    place: async () => {
      const placed = await placeDesktops({ db, node, log });
      for (const vmId of placed) outside.add({ topic: "vm", vmId });
      return placed;
    },
    isUnpacking: () => false,
  };
  const loop = new NodeLoop(deps);
  const outside = gatherWakes(
    (payload) => wakes.send(`${name}\n${payload}`),
    () => wakes.mostWakes,
  );
  const wakes = new SiteWakes({
    ...{ db, nodeId, log, timers, listenAddress: undefined },
    hear: (payload) => {
      const topics = payload.split("\n").map(parseWake);
      if (topics.some((wake) => wake?.topic === "vm")) loop.wakeForNews();
    },
    isBusy: () => isAtWork(loop.list()),
    onCatchUp: () => loop.wake(),
  });
  hypervisor.watch((vmId) => loop.stir(vmId));
  await report(db, nodeId);
  timers.every(REPORT_EVERY_MS, () => void report(db, nodeId).catch(() => log.debug("not-reported")));
  loop.start();
  await wakes.start();
  new NodesWatch({
    ...{ db, node, hasLease, log, timers, times: leaseTimes(), shared: undefined },
    nodes: () => wakes.nodes,
    onTaken: () => loop.wake(),
    nowMs: () => systemClock.monotonicMs(),
  }).start();
}

function report(db: LoopDeps["db"], nodeId: NodeId): Promise<void> {
  return reportNode(db, {
    nodeId,
    state: "running",
    startedAt: new Date(),
    facts: {
      ...{ version: "lean", pid: process.pid, instance: "lean", cpus: 16, hypervisors: ["lxc"] },
      ...{
        memoryMb: MEMORY_MB,
        memoryFreeMb: MEMORY_MB,
        diskFreeMb: 100_000,
        lease: { epoch: 1, isHeld: true },
      },
      ...{ workers: [], desktops: {}, problems: [] },
    },
  });
}

function leanNetwork(): LoopDeps["network"] {
  const portOf = (vmId: VmId, address: string) => ({
    ...{ bridge: "lean", interfaceName: `lean-${vmId}`, mac: "02:51:0a:5d:00:02" },
    ...{ address, prefixLength: 10, gateway: "10.64.0.1" },
  });
  const network = {
    addPort: async (vmId: VmId, address: string) => portOf(vmId, address),
    portOf,
    removePort: async () => {},
    checkPort: async () => ({ isOk: true }) as const,
  };
  // The loop uses these verbs of it and no other.
  return network as unknown as LoopDeps["network"];
}

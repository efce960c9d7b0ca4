/** A box with simulated desktops over a real database: what the tests of the node's loop stand on. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import type { DiId, NodeId, VmId } from "../../src/domain/ids.ts";
import { type Layout, layoutOf } from "../../src/domain/node/layout.ts";
import type { NetworkPort } from "../../src/domain/node/network-port.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { VM_LIMITS, type VmLimits } from "../../src/domain/vm/facts.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLog, type Log } from "../../src/lib/log.ts";
import { createGuestChannels, type GuestChannels } from "../../src/node/guest-channel/guest-channels.ts";
import { NodeLoop } from "../../src/node/loop.ts";
import { placeDesktops } from "../../src/node/place-desktops.ts";
import { recoverDesktops } from "../../src/node/recover.ts";
import { NodeDatabase } from "./node-database.ts";
import { createSimHypervisor } from "./sim/hypervisor.ts";
import { createSimStorage, type SimStorage } from "./sim/storage.ts";

/** The documented pauses would make the tests wait. */
export const SHORT_LIMITS: VmLimits = {
  ...VM_LIMITS,
  firstBackoffMs: 20,
  mostBackoffMs: 100,
  startTimeoutMs: 5_000,
  poweroffAnswerMs: 5_000,
  goingDownMs: 5_000,
  terminateMs: 5_000,
  killAgainMs: 50,
  agentLostAfterMs: 80,
  sessionPrepareMs: 5_000,
  sessionAgentMs: 5_000,
};

/** For desktops that do nothing in time; one that does would be late at times on a busy machine. */
export const IMPATIENT: Partial<VmLimits> = {
  startTimeoutMs: 150,
  poweroffAnswerMs: 100,
  goingDownMs: 100,
  terminateMs: 100,
  sessionPrepareMs: 500,
  sessionAgentMs: 100,
};

export type RunningNode = {
  readonly loop: NodeLoop;
  readonly channels: GuestChannels;
  end(): Promise<void>;
  kill(): void;
};

export class NodeWorld {
  readonly rows: NodeDatabase;
  readonly nodeId: NodeId;
  readonly hypervisor = createSimHypervisor();
  readonly layout: Layout;
  readonly storage: SimStorage;
  readonly folder: string;
  readonly ports = new Set<VmId>();
  readonly logged: string[] = [];
  readonly brokenNetworks = new Set<VmId>();
  hasLease = true;
  fullPassMs = 300;
  newsMs = 100;
  /** How often the box's desktops were looked at. */
  looks = 0;
  /** Whom each look was at that wasn't at all of them. */
  readonly looked: (readonly VmId[])[] = [];
  /** Images that the box unpacks in advance. */
  readonly unpacking = new Set<DiId>();
  readonly #running: RunningNode[] = [];

  static async create(): Promise<NodeWorld> {
    const rows = await NodeDatabase.create("10.93.0");
    return new NodeWorld(rows, await rows.addNode("box"));
  }

  private constructor(rows: NodeDatabase, nodeId: NodeId) {
    this.rows = rows;
    this.nodeId = nodeId;
    this.folder = mkdtempSync(`${tmpdir()}/qvd-node-`);
    this.layout = layoutOf(`${this.folder}/state`, `${this.folder}/run`);
    this.storage = createSimStorage(this.layout);
    rows.onChange = (vmId) => {
      for (const { loop } of this.#running) loop.wake(vmId);
    };
  }

  /** A node process; `kill` is its SIGKILL: nothing of it is tidied up. */
  async startNode(
    options: {
      readonly limits?: Partial<VmLimits>;
      readonly parallelStarts?: number;
      readonly parallelStops?: number;
      readonly hooksFolder?: string;
      /** The first node process since the machine's start; a notice comes before it has looked around. */
      readonly isFreshBoot?: boolean;
    } = {},
  ): Promise<RunningNode> {
    const log = this.#log();
    const channels: GuestChannels = createGuestChannels({
      log,
      clock: systemClock,
      onEvent: (vmId, event) => loop.takeGuestEvent(vmId, event),
    });
    const node = { nodeId: this.nodeId, name: "box" };
    const deps = {
      node,
      settings: {
        instance: "simbox",
        layout: this.layout,
        idRangeFirst: 1_000_000,
        range: parseNetworkRange("10.93.0.0/24"),
        agentExecutable: "/bin/true",
        parallelStarts: options.parallelStarts ?? 4,
        parallelStops: options.parallelStops ?? 8,
        limits: { ...SHORT_LIMITS, ...options.limits },
        ...(options.hooksFolder === undefined ? {} : { hooksFolder: options.hooksFolder }),
      },
      db: this.rows.node,
      hypervisor: this.#counted(),
      storage: this.storage,
      network: {
        addPort: async (vmId: VmId, address: string) => {
          this.ports.add(vmId);
          return portOf(vmId, address);
        },
        portOf,
        listPorts: async () => {
          const port = { hasInterface: true, addresses: ["10.93.0.9"] };
          return new Map([...this.ports].map((vmId) => [vmId, { vmId, ...port }]));
        },
        checkPort: async (vmId: VmId) =>
          this.brokenNetworks.has(vmId)
            ? ({ isOk: false, code: "no-answer", text: "it doesn't answer" } as const)
            : ({ isOk: true } as const),
        removePort: async (vmId: VmId) => void this.ports.delete(vmId),
      },
      channels,
      tell: () => {},
      place: () => placeDesktops({ db: this.rows.node, node, log }),
      hasLease: () => this.hasLease,
      isUnpacking: (diId: DiId) => this.unpacking.has(diId),
      clock: systemClock,
      log,
    };
    const loop = new NodeLoop(deps, {
      fullPassMs: this.fullPassMs,
      newsMs: this.newsMs,
      gatherMs: 2,
      networkTimes: { wellEveryMs: 20, illEveryMs: 10 },
    });
    const { isFreshBoot = false } = options;
    if (isFreshBoot) {
      loop.wake();
      await Bun.sleep(50);
    }
    await recoverDesktops(deps, { isFreshBoot });
    loop.start();
    const unwatch = this.hypervisor.watch((vmId) => loop.stir(vmId));
    const forget = () => {
      unwatch();
      this.#running.splice(this.#running.indexOf(running), 1);
      channels.closeAll();
    };
    const running: RunningNode = {
      loop,
      channels,
      end: async () => {
        await loop.stop(2_000);
        forget();
      },
      kill: () => {
        void loop.stop(0);
        forget();
      },
    };
    this.#running.push(running);
    return running;
  }

  readonly #observe: typeof this.hypervisor.observe = (only) => {
    this.looks++;
    if (only !== undefined) this.looked.push(only);
    return this.hypervisor.observe(only);
  };

  #counted(): typeof this.hypervisor {
    const observe = this.#observe;
    return new Proxy(this.hypervisor, {
      get(target, name) {
        if (name === "observe") return observe;
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #log(): Log {
    return createLog({ level: "info", write: (line) => void this.logged.push(line), now: () => new Date() });
  }

  /** Everything that a desktop may leave on the box, but its home. */
  async remains(): Promise<readonly string[]> {
    const seen = await this.hypervisor.observe();
    const folders = await this.storage.listMounted();
    return [
      ...[...seen.keys()].map((id) => `group ${id}`),
      ...[...folders.keys()].map((id) => `folder ${id}`),
      ...[...this.ports].map((id) => `port ${id}`),
    ];
  }

  async end(): Promise<void> {
    for (const running of [...this.#running]) await running.end();
    for (const vmId of (await this.hypervisor.observe()).keys()) this.hypervisor.die(vmId);
    await this.rows.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function portOf(vmId: VmId, address: string): NetworkPort {
  const port = { bridge: "simboxbr0", interfaceName: `simbox-${vmId}`, mac: "02:51:0a:5d:00:02" };
  return { ...port, address, prefixLength: 24, gateway: "10.93.0.1" };
}

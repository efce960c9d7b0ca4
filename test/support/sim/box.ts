/**
 * One simulated machine with its node process and its keeper. The machine's desktops outlive the processes; a
 * process that is killed leaves everything as it is, in the middle of whatever it did.
 */

import type { DiId, NodeId, VmId } from "../../../src/domain/ids.ts";
import { layoutOf } from "../../../src/domain/node/layout.ts";
import { parseNetworkRange } from "../../../src/domain/node/network-range.ts";
import { VM_LIMITS } from "../../../src/domain/vm/facts.ts";
import { SimHost, SimHypervisor } from "../../../src/hypervisor/sim/sim-hypervisor.ts";
import { describeError } from "../../../src/lib/errors.ts";
import type { LoopDeps } from "../../../src/node/deps.ts";
import type { NodeLease } from "../../../src/node/lease/node-lease.ts";
import { OwnLease } from "../../../src/node/lease/own-lease.ts";
import { NodeLoop } from "../../../src/node/loop.ts";
import { placeDesktops } from "../../../src/node/place-desktops.ts";
import { recoverDesktops } from "../../../src/node/recover.ts";
import { reportNode } from "../../../src/node/report/report-node.ts";
import { NodesWatch } from "../../../src/node/takeover/nodes-watch.ts";
import { registerNode } from "../../../src/service/node/register.ts";
import { setShared } from "../../../src/service/node/set-shared.ts";
import type { SimLink } from "./database.ts";
import { SimDisks } from "./disks.ts";
import { type ScriptedGuest, SimGuests } from "./guests.ts";
import { leaseFrom, SIM_LEASE_TIMES, SimKeeper } from "./keeper.ts";
import type { SimSite } from "./site.ts";
import { newOwner, type SimOwner } from "./time.ts";

export type BoxTraits = {
  readonly memoryMb: number;
  readonly parallelStarts: number;
  readonly isShared: boolean;
};

type Process = { readonly owner: SimOwner; readonly link: SimLink; readonly loop: NodeLoop };
type Kept = { readonly owner: SimOwner; readonly link: SimLink; readonly keeper: SimKeeper };

const SHARED_ID = "shared-storage";
const RANGE = parseNetworkRange("10.77.0.0/16");

export class SimBox {
  readonly name: string;
  readonly site: SimSite;
  readonly traits: BoxTraits;
  readonly machine: SimOwner;
  readonly host = new SimHost<ScriptedGuest>();
  readonly guests = new SimGuests();
  readonly hypervisor: SimHypervisor<ScriptedGuest>;
  readonly disks: SimDisks;
  readonly brokenNetworks = new Set<VmId>();
  /** Identifies the machine: another under the same name has another. */
  boxId: string;
  isFenced = false;
  isDatabaseCut = false;
  clockOffsetMs = 0;
  nodeId: NodeId | undefined;
  process: Process | undefined;
  #kept: Kept | undefined;

  constructor(site: SimSite, name: string, traits: BoxTraits) {
    this.site = site;
    this.name = name;
    this.traits = traits;
    this.boxId = `box-of-${name}`;
    this.machine = newOwner(name);
    const timers = site.time.timersOf(this.machine);
    this.disks = new SimDisks(timers);
    this.hypervisor = new SimHypervisor(
      {
        timers,
        makeGuest: ({ vmId }, behaviour) => this.guests.make(vmId, behaviour),
        hasDisk: () => true,
        traits: { startMs: 300, bootMs: 2_000, haltMs: 1_000 },
      },
      this.host,
    );
  }

  get shared(): Map<NodeId, string> {
    return this.site.shared;
  }

  say(text: string): void {
    this.site.say(this.name, text);
  }

  setFenced(isFenced: boolean): void {
    if (isFenced !== this.isFenced) this.say(isFenced ? "desktops frozen" : "desktops thawed");
    this.isFenced = isFenced;
  }

  /** A desktop that could write now. */
  isAtWork(vmId: VmId): boolean {
    return this.hypervisor.isAlive(vmId) && !this.isFenced && !this.machine.isFrozen && !this.machine.isGone;
  }

  async startProcess(): Promise<void> {
    const owner = newOwner(this.name);
    const link = this.site.database.link(owner, "qvd_node");
    link.isCut = this.isDatabaseCut;
    const { name, boxId } = this;
    try {
      const context = { db: link.db, actor: { kind: "node", name } } as const;
      const { nodeId } = await registerNode(context, { name, boxId });
      this.nodeId = nodeId;
      if (this.traits.isShared) await setShared(context, { nodeId, sharedId: SHARED_ID });
    } catch (error) {
      this.say(`node refused: ${describeError(error)}`);
      return;
    }
    if (this.traits.isShared && this.#kept === undefined) this.#startKeeper(this.nodeId);
    await this.#run(owner, link, this.nodeId);
  }

  #startKeeper(nodeId: NodeId): void {
    const owner = newOwner(this.name);
    const link = this.site.database.link(owner, "qvd_node");
    link.isCut = this.isDatabaseCut;
    const keeper = new SimKeeper(this, { nodeId, link, before: undefined });
    this.#kept = { owner, link, keeper };
    keeper.start();
  }

  async #run(owner: SimOwner, link: SimLink, nodeId: NodeId): Promise<void> {
    const { site, name, traits } = this;
    const timers = site.time.timersOf(owner);
    const clock = site.time.clockOf(site.startMs, () => this.clockOffsetMs);
    const log = site.logOf(name);
    const { db } = link;
    const folder = `${site.folder}/${name}`;
    const lease = this.#openLease(link, nodeId);
    await lease.start();
    const channels = this.guests.openChannels(timers, (vmId, event) => loop.takeGuestEvent(vmId, event));
    const node = { nodeId, name };
    const deps: LoopDeps = {
      node,
      settings: {
        instance: name,
        layout: layoutOf(`${folder}/state`, `${folder}/run`, traits.isShared ? `${site.folder}/shared` : ""),
        idRangeFirst: 1_000_000,
        range: RANGE,
        agentExecutable: "/bin/true",
        parallelStarts: traits.parallelStarts,
        parallelStops: traits.parallelStarts,
        limits: VM_LIMITS,
      },
      db,
      hypervisor: site.guard(owner, this.hypervisor),
      storage: site.guard(owner, this.disks.storage()),
      network: this.#network(),
      channels,
      tell: (wake) => {
        if (wake.topic === "vm") site.wakeOthers(this, wake.vmId);
      },
      place: () => placeDesktops({ db, node, log }),
      hasLease: () => lease.state.isHeld,
      isUnpacking: () => false,
      clock,
      timers,
      log,
    };
    const loop = new NodeLoop(deps);
    this.process = { owner, link, loop };
    const report = () => this.#report(link, nodeId, lease.state.isHeld);
    await report();
    // While the database is away nothing is told; the next report tells it too.
    timers.every(10_000, () => void report().catch(() => {}));
    this.hypervisor.watch((vmId) => {
      if (!owner.isGone) loop.stir(vmId);
    });
    await recoverDesktops(deps);
    loop.start();
    this.#watchNodes(deps);
  }

  #openLease(link: SimLink, nodeId: NodeId): NodeLease {
    const { time } = this.site;
    const nowMs = () => time.nowMs;
    if (this.traits.isShared) return leaseFrom(() => this.#kept?.keeper.told, nowMs);
    return new OwnLease(
      { db: link.db, nodeId, timers: time.timersOf(link.owner) },
      this.site.logOf(this.name),
      nowMs,
    );
  }

  #watchNodes({ db, node, hasLease, timers, log }: LoopDeps): void {
    const { shared, site, disks } = this;
    const answers = async <T>(value: T): Promise<T> => {
      if (disks.isCut) throw new Error("the storage doesn't answer");
      return value;
    };
    const watch = new NodesWatch({
      ...{ db, node, hasLease, log, times: SIM_LEASE_TIMES },
      shared: !this.traits.isShared
        ? undefined
        : {
            id: SHARED_ID,
            readId: () => answers(SHARED_ID),
            readCounter: (nodeId) => answers(shared.get(nodeId)),
          },
      onTaken: (vmIds, { name }) => {
        this.say(`takes ${vmIds.length} desktops over from ${name}`);
        site.wakeAll();
      },
      nowMs: () => site.time.nowMs,
      ...(timers === undefined ? {} : { timers }),
    });
    watch.start();
  }

  #network(): LoopDeps["network"] {
    const portOf = (vmId: VmId, address: string) => ({
      ...{ bridge: "sim", interfaceName: `sim-${vmId}`, mac: "02:51:0a:5d:00:02" },
      ...{ address, prefixLength: 16, gateway: "10.77.0.1" },
    });
    const network = {
      addPort: async (vmId: VmId, address: string) => portOf(vmId, address),
      portOf,
      listPorts: async () => new Map(),
      removePort: async () => {},
      checkPort: async (vmId: VmId) =>
        this.brokenNetworks.has(vmId)
          ? { isOk: false, code: "no-answer", text: "it does not answer on the desktop network" }
          : { isOk: true },
    };
    return network as unknown as LoopDeps["network"];
  }

  async #report(link: SimLink, nodeId: NodeId, isHeld: boolean): Promise<void> {
    const { memoryMb } = this.traits;
    await reportNode(link.db, {
      nodeId,
      state: "running",
      startedAt: new Date(this.site.startMs),
      facts: {
        ...{ version: "sim", pid: 1, instance: this.name, cpus: 8, hypervisors: ["lxc", "kvm"], memoryMb },
        ...{ memoryFreeMb: memoryMb, diskFreeMb: 100_000, lease: { epoch: 1, isHeld } },
        ...{ workers: [], desktops: {}, problems: [] },
      },
    });
  }

  /** SIGKILL of the node process: nothing is tidied up. */
  endProcess(): void {
    if (this.process === undefined) return;
    this.process.owner.isGone = true;
    void this.process.loop.stop(0);
    this.process = undefined;
    this.say("node process ended");
  }

  /** The supervisor's part: a process that ended comes back. */
  async revive(): Promise<void> {
    if (this.process === undefined && !this.machine.isGone && this.nodeId !== undefined)
      await this.startProcess();
  }

  setFrozen(isFrozen: boolean): void {
    for (const owner of [this.machine, this.process?.owner, this.#kept?.owner])
      if (owner !== undefined) owner.isFrozen = isFrozen;
  }

  cutDatabase(isCut: boolean): void {
    this.isDatabaseCut = isCut;
    for (const part of [this.process, this.#kept]) if (part !== undefined) part.link.isCut = isCut;
  }

  /** No power: processes and desktops are gone; disks stay. */
  powerOff(): void {
    this.endProcess();
    if (this.#kept !== undefined) this.#kept.owner.isGone = true;
    this.#kept = undefined;
    for (const vmId of [...this.host.desktops.keys()]) this.hypervisor.die(vmId);
    this.host.desktops.clear();
    this.disks.mounted.clear();
    this.isFenced = false;
  }

  unpacked(diId: DiId): void {
    this.disks.bases.add(diId);
  }
}

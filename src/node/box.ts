/** The parts of a running node, and the order of their coming and going. `run-node.ts` calls it. */

import { randomUUID } from "node:crypto";
import { createAuthClient } from "../auth/client.ts";
import type { Database, Db } from "../db/client.ts";
import type { DatabaseAddress } from "../db/url.ts";
import type { DiId, NodeId, VmId } from "../domain/ids.ts";
import { vmLayout } from "../domain/node/layout.ts";
import type { PlacementOptions } from "../domain/node/placement.ts";
import type { MachineRunning } from "../domain/node/report.ts";
import type { Hypervisor } from "../hypervisor/driver.ts";
import { type Clock, systemTimers } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { readProcessIdentity } from "../lib/process.ts";
import type { Network } from "../network/network.ts";
import type { Storage } from "../storage/storage.ts";
import { brokerStateFile, readBrokerState, removeBrokerState } from "../wire/broker/state-file.ts";
import type { TellWake, Wake } from "../wire/wake/messages.ts";
import { createAgentGates } from "./agent-gate.ts";
import { BaseUnpacker } from "./base-unpacker.ts";
import { ConsoleDoor } from "./console-door.ts";
import type { NodeIdentity, NodeSettings } from "./deps.ts";
import { EarlySessions } from "./early-sessions.ts";
import { EndNotices } from "./end-notices.ts";
import { createGuestChannels, type GuestChannels, type GuestEvent } from "./guest-channel/guest-channels.ts";
import { GuestHookNews } from "./hooks/guest-hook-news.ts";
import { ImageIntake } from "./image-intake.ts";
import type { NodeLease } from "./lease/node-lease.ts";
import { NodeLoop } from "./loop.ts";
import { isAtWork, listUsedImages } from "./memory.ts";
import { NodeReporter } from "./node-reporter.ts";
import { createNotices, type Notices } from "./notices.ts";
import { openRulesKeeper } from "./open-rules-keeper.ts";
import { placeDesktops } from "./place-desktops.ts";
import { readProcessFile, writeProcessFile } from "./process-file.ts";
import { recoverDesktops } from "./recover.ts";
import type { SharedPort } from "./refuse-taken-port.ts";
import type { RulesKeeper } from "./rules-keeper.ts";
import { SiteWakes } from "./site-wakes.ts";
import { Supervisor, type WorkerSpec, type WorkerStates } from "./supervise.ts";
import { NodesWatch, type NodesWatchDeps } from "./takeover/nodes-watch.ts";
import { UnlockScreens } from "./unlock-screens.ts";

export type NodeRunDeps = {
  readonly name: string;
  readonly version: string;
  readonly settings: NodeSettings;
  readonly database: Database;
  /** For LISTEN, which needs a connection of its own. */
  readonly databaseAddress: DatabaseAddress;
  /** Throws when the schema isn't that of this executable. */
  readonly checkDatabase: () => Promise<void>;
  readonly hypervisor: Hypervisor;
  /** How virtual machines run here, and why no better; may take seconds at its first call. */
  readonly acceleration?: () => Promise<MachineRunning>;
  readonly storage: Storage;
  readonly network: Network;
  readonly workers: readonly WorkerSpec[];
  /** Who keeps the right to run; `onLost` says that another box has taken over. */
  readonly openLease: (of: { readonly db: Db; readonly nodeId: NodeId }, onLost: () => void) => NodeLease;
  /** Of the site, and what this box shares with others; nobody takes over where it shares nothing. */
  readonly takeover?: Pick<NodesWatchDeps, "times" | "shared">;
  /** What tells this box from others, and where they reach it. */
  readonly registration?: { readonly boxId: string; readonly address: string };
  readonly placement?: PlacementOptions;
  /** Where several of the workers listen together; nobody else may. */
  readonly sharedPort?: SharedPort;
  /** How long brokers go on taking clients after they told balancers of the box's end. */
  readonly leaveMs?: number;
  /** Parent folder of the workers' control groups. */
  readonly workersCgroup: string;
  /** Group whose members may use the wake socket. */
  readonly wakeGid: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
};

const STOP_DESKTOPS_MS = 90_000;
const STOP_LOOP_MS = 5_000;
/** A broker says so within a moment. */
const LEAVE_GRACE_MS = 2_000;

type Started = {
  readonly nodeId: NodeId;
  readonly lease: NodeLease;
  readonly loop: NodeLoop;
  readonly channels: GuestChannels;
  readonly notices: Notices;
  readonly intake: ImageIntake;
  readonly unpacker: BaseUnpacker;
  readonly reporter: NodeReporter;
  readonly siteWakes: SiteWakes;
  readonly watch: NodesWatch | undefined;
  readonly endNotices: EndNotices;
  readonly consoleDoor: ConsoleDoor;
  readonly rules: RulesKeeper;
  readonly unwatch: () => void;
};

export class Box {
  readonly #deps: NodeRunDeps;
  readonly #supervisor: Supervisor;
  readonly #startedAtMs: number;
  readonly #lost = new AbortController();
  readonly #consoles = { isAtConsole: (vmId: VmId) => this.#started?.consoleDoor.isOpen(vmId) === true };
  readonly #ended = new AbortController();
  #nodeId = 0;
  #isFreshBoot = false;
  #started: Started | undefined;

  constructor(deps: NodeRunDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.clock.nowMs();
    this.#supervisor = new Supervisor({
      workers: deps.workers,
      logsFolder: deps.settings.layout.logsFolder,
      cgroupFolder: deps.workersCgroup,
      states: statesOf(deps.settings.layout.brokersFolder),
      clock: deps.clock,
      log: deps.log,
      onChange: () => this.#workersChanged(),
    });
  }

  /** Aborted when another box has taken over: what this process is at belongs to an epoch that is over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** First of all: clients get an answer even while the database is away. */
  startWorkers(): void {
    const before = readProcessFile(this.#deps.settings.layout.nodeProcessFile);
    // The run folder is emptied with the machine's start; the first process may end before it has looked around.
    this.#isFreshBoot = before === undefined || before.hasLookedAround === false;
    this.#supervisor.start(before?.workers ?? []);
  }

  async start(nodeId: NodeId): Promise<void> {
    const { database, clock, log, settings, network, hypervisor, storage } = this.#deps;
    this.#nodeId = nodeId;
    const node = { nodeId, name: this.#deps.name };
    const db = database.orm;
    const lease = this.#deps.openLease({ db, nodeId }, () => this.#lost.abort());
    await lease.start();
    await network.ensure();
    const notices = this.#openNotices(() => siteWakes);
    const tell: TellWake = (wake, reach) => notices.tell(wake, reach);
    // The loop takes the events of channels that it opens itself: neither can be made first.
    const channels = this.#openChannels(node, tell, (vmId, event) => loop.takeGuestEvent(vmId, event));
    const hasLease = () => lease.state.isHeld;
    const place = () => this.#place(node, tell);
    const unpacker = new BaseUnpacker({
      ...{ db, storage, layout: settings.layout, clock, log },
      onChange: () => reporter.wake(),
    });
    const isUnpacking = (diId: DiId) => unpacker.isUnpacking(diId);
    const parts = { node, settings, db, hypervisor, storage, network, channels, isUnpacking };
    const earlySessions = this.#openEarlySessions((vmId) => loop.stir(vmId));
    const loopDeps = { ...parts, ...this.#consoles, earlySessions, tell, place, hasLease, clock, log };
    const loop = new NodeLoop(loopDeps);
    const listUsed = () => listUsedImages(loop.list().values());
    const imageDeps = { db, storage, layout: settings.layout, listUsed, tell, clock, log };
    const intake = new ImageIntake(imageDeps, (hasChanged) => {
      unpacker.wake();
      if (hasChanged) loop.wake();
    });
    const rulesDeps = { db, nodeId, network, tell, clock, log };
    const rules = openRulesKeeper({ ...rulesDeps, onTrouble: () => reporter.wake() });
    const reporter = new NodeReporter({
      ...{ db, nodeId, clock, log, settings, storage, loop, lease, unpacker, intake, rules },
      acceleration: this.#deps.acceleration,
      supervisor: this.#supervisor,
      version: this.#deps.version,
      startedAt: new Date(this.#startedAtMs),
      tell,
    });
    const siteWakes = new SiteWakes({
      ...{ db, nodeId, log, listenAddress: this.#deps.databaseAddress },
      hear: (payload) => notices.hear(payload),
      isBusy: () => isAtWork(loop.list()),
      onCatchUp: () => this.#wake({ topic: "vm" }),
    });
    await siteWakes.start();
    const watch = this.#openWatch({ node, hasLease, place, tell, nodes: () => siteWakes.nodes });
    const endNotices = new EndNotices({ db, nodeId, log, channels });
    const consoleDoor = new ConsoleDoor({
      ...{ db, nodeId, log, path: settings.layout.consoleSocket },
      screenOf: (vmId) => vmLayout(settings.layout, vmId).screenSocket,
    });
    const unwatch = this.#watch((vmId) => loop.stir(vmId), earlySessions);
    this.#started = {
      ...{ nodeId, lease, loop, channels, notices, intake },
      ...{ unpacker, reporter, siteWakes, watch, endNotices, consoleDoor, unwatch, rules },
    };
    this.#workersChanged();
    await reporter.start();
    const found = await recoverDesktops(loopDeps, { isFreshBoot: this.#isFreshBoot });
    this.#isFreshBoot = false;
    this.#writeProcessFile(true);
    if (found > 0) log.info("desktops-found", { found });
    loop.start();
    this.#supervisor.replaceElders();
    endNotices.start();
    consoleDoor.start();
    intake.start();
    watch?.start();
  }

  /** What is returned ends it, and lets every agent go. */
  #watch(onEnd: (vmId: VmId) => void, earlySessions: EarlySessions | undefined): () => void {
    const unwatch = this.#deps.hypervisor.watch(onEnd);
    return () => {
      unwatch();
      earlySessions?.endAll();
    };
  }

  #openEarlySessions(onListening: (vmId: VmId) => void): EarlySessions | undefined {
    const { hypervisor, settings, clock, log } = this.#deps;
    if (hypervisor.isListening === undefined || settings.renderOrderScript === undefined) return undefined;
    const isListening = hypervisor.isListening.bind(hypervisor);
    const gates = createAgentGates();
    return new EarlySessions({ isListening, gates, onListening, clock, timers: systemTimers, log });
  }

  /** What desktops say is `hear`'s; of failing hooks their trails are told as well. */
  #openChannels(
    node: NodeIdentity,
    tell: TellWake,
    hear: (vmId: VmId, event: GuestEvent) => void,
  ): GuestChannels {
    const { database, clock, log } = this.#deps;
    const onWritten = (vmId: VmId) => tell({ topic: "vm", vmId });
    const news = new GuestHookNews({ db: database.orm, nodeId: node.nodeId, clock, log, onWritten });
    const auth = createAuthClient({ path: this.#deps.settings.layout.authSocketForBroker, log });
    const signal = this.#ended.signal;
    const unlocks = new UnlockScreens({
      ...{ db: database.orm, nodeId: node.nodeId, auth, clock, log, signal },
      channels: () => channels,
    });
    const channels = createGuestChannels({
      log,
      clock,
      onEvent: (vmId, event) => {
        news.take(vmId, event);
        unlocks.take(vmId, event);
        hear(vmId, event);
      },
    });
    return channels;
  }

  async #place(node: NodeIdentity, tell: TellWake): Promise<readonly VmId[]> {
    const { database, log, placement: options = {} } = this.#deps;
    const placed = await placeDesktops({ db: database.orm, node, log, options });
    // Boxes that were given one look at once; this one looks anyway.
    for (const vmId of placed) tell({ topic: "vm", vmId });
    return placed;
  }

  #openWatch(parts: {
    readonly node: NodeIdentity;
    readonly hasLease: () => boolean;
    readonly place: () => Promise<readonly VmId[]>;
    readonly tell: TellWake;
    readonly nodes: () => number;
  }): NodesWatch | undefined {
    const { takeover, database, clock, log } = this.#deps;
    if (takeover === undefined) return undefined;
    const { node, hasLease, place, tell, nodes } = parts;
    return new NodesWatch({
      ...{ ...takeover, db: database.orm, node, nodes, hasLease, log },
      nowMs: () => clock.monotonicMs(),
      onTaken: () => {
        // Whoever gets one learns of it at once: people wait.
        place()
          .catch((error) => log.warn("taken-not-placed", { reason: describeError(error) }))
          .finally(() => {
            tell({ topic: "vm" });
            this.#wake({ topic: "vm" });
          });
      },
    });
  }

  /** After a start that failed: ends the workers that it started, which would keep their port from the next. */
  async giveUp(): Promise<void> {
    await this.#supervisor.endStarted();
    this.#writeProcessFile(false);
  }

  /** Ends this process's part; everything that it started goes on. */
  async handOver(): Promise<void> {
    this.#supervisor.handOver();
    const started = this.#started;
    if (started !== undefined) {
      await this.#end(started, "stopped");
      // The sockets go with us; agents connect again to those of the next node process.
      started.channels.closeAll();
    }
    this.#writeProcessFile(false);
  }

  /** Stops desktops and workers; true when all of them are down. */
  async shutDown(): Promise<boolean> {
    const started = this.#started;
    let isDown = true;
    // Balancers send their clients elsewhere before anything stops.
    await this.#supervisor.leave((this.#deps.leaveMs ?? 0) + LEAVE_GRACE_MS);
    if (started !== undefined) {
      await started.reporter.report("stopping");
      isDown = await started.loop.stopDesktops(STOP_DESKTOPS_MS);
      if (!isDown) this.#deps.log.error("desktops-not-stopped", { afterMs: STOP_DESKTOPS_MS });
    }
    await this.#supervisor.end();
    if (started !== undefined) {
      await this.#end(started, "stopped");
      started.channels.closeAll();
    }
    this.#writeProcessFile(false);
    return isDown;
  }

  async #end(started: Started, state: "stopped"): Promise<void> {
    this.#ended.abort();
    started.unwatch();
    started.rules.stop();
    started.consoleDoor.stop();
    started.watch?.stop();
    started.intake.stop();
    const unpacked = started.unpacker.stop();
    await Promise.all([unpacked, started.endNotices.stop(), started.loop.stop(STOP_LOOP_MS)]);
    started.lease.stop();
    await started.reporter.stop(state);
    started.notices.stop();
    await started.siteWakes.stop();
  }

  #openNotices(siteWakes: () => SiteWakes): Notices {
    const { settings, wakeGid } = this.#deps;
    return createNotices({
      path: settings.layout.wakeSocket,
      origin: randomUUID(),
      gid: wakeGid,
      onWake: (wake) => this.#wake(wake),
      notify: (payload) => siteWakes().send(payload),
      mostWakes: () => siteWakes().mostWakes,
      isPolled: () => siteWakes().isPolling,
    });
  }

  #wake(wake: Wake): void {
    const started = this.#started;
    if (started === undefined) return;
    // A poll doesn't say of what: the loop asks, in one row.
    if (wake.topic === "vm" && wake.vmId === undefined && started.siteWakes.isPolling)
      started.loop.wakeForNews();
    else if (wake.topic === "vm") started.loop.wake(wake.vmId);
    else if (wake.topic === "image") started.intake.wake();
    else started.reporter.wake();
  }

  #workersChanged(): void {
    this.#writeProcessFile(true);
    this.#started?.reporter.wake();
  }

  #writeProcessFile(isRunning: boolean): void {
    const { settings, version, name } = this.#deps;
    writeProcessFile(settings.layout.nodeProcessFile, {
      version,
      node: isRunning ? (readProcessIdentity(process.pid) ?? null) : null,
      nodeId: this.#nodeId,
      nodeName: name,
      startedAtMs: this.#startedAtMs,
      hasLookedAround: !this.#isFreshBoot,
      workers: this.#supervisor.entries(),
    });
  }
}

function statesOf(folder: string): WorkerStates {
  return {
    read: (pid) => readBrokerState(brokerStateFile(folder, pid)),
    drop: (pid) => removeBrokerState(brokerStateFile(folder, pid)),
  };
}

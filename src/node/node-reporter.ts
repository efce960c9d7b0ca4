/** Tells what is true of this box: at a change, but no oftener than each 10 s, and then anyway. */

import type { Db } from "../db/client.ts";
import { isDatabaseAway } from "../db/errors.ts";
import { countBrokerConnections } from "../db/queries/broker-connections.ts";
import type { NodeId } from "../domain/ids.ts";
import type { MachineRunning } from "../domain/node/report.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Storage } from "../storage/storage.ts";
import type { Wake } from "../wire/wake/messages.ts";
import type { BaseUnpacker } from "./base-unpacker.ts";
import type { NodeSettings } from "./deps.ts";
import { gatherFacts } from "./gather-facts.ts";
import type { ImageIntake } from "./image-intake.ts";
import type { NodeLease } from "./lease/node-lease.ts";
import type { NodeLoop } from "./loop.ts";
import { type NodeState, reportNode } from "./report/report-node.ts";
import type { RulesKeeper } from "./rules-keeper.ts";
import type { Supervisor } from "./supervise.ts";

export type NodeReporterDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  readonly version: string;
  readonly startedAt: Date;
  readonly settings: NodeSettings;
  readonly storage: Pick<Storage, "freeBytes" | "readUse">;
  readonly loop: Pick<NodeLoop, "list" | "strangers">;
  readonly lease: Pick<NodeLease, "state">;
  readonly unpacker: Pick<BaseUnpacker, "failed">;
  readonly intake: Pick<ImageIntake, "strangers">;
  readonly rules: Pick<RulesKeeper, "trouble">;
  readonly acceleration?: (() => Promise<MachineRunning>) | undefined;
  readonly supervisor: Pick<Supervisor, "facts">;
  readonly tell: (wake: Wake) => void;
  readonly clock: Clock;
  readonly log: Log;
};

const EVERY_MS = 10_000;
/** A wake is the beginning of several; they share a report. */
const GATHER_MS = 200;

export class NodeReporter {
  readonly #deps: NodeReporterDeps;
  #state: NodeState = "running";
  #lastFacts = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #interval: ReturnType<typeof setInterval> | undefined;

  constructor(deps: NodeReporterDeps) {
    this.#deps = deps;
  }

  /** Reports once, and from then on by itself. */
  async start(): Promise<void> {
    await this.report("running");
    this.#interval = setInterval(() => void this.report(this.#state), EVERY_MS);
  }

  wake(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.report(this.#state);
    }, GATHER_MS);
  }

  async stop(state: NodeState): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#interval);
    await this.report(state);
  }

  /** Never throws: the next report says it too. */
  async report(state: NodeState): Promise<void> {
    const { db, nodeId, log, startedAt, tell } = this.#deps;
    this.#state = state;
    try {
      const facts = await this.#gather();
      await reportNode(db, { nodeId, state, facts, startedAt });
      const text = JSON.stringify([state, facts.workers, facts.desktops, facts.problems]);
      if (text !== this.#lastFacts) tell({ topic: "node" });
      this.#lastFacts = text;
    } catch (error) {
      if (!isDatabaseAway(error)) log.error("node-report-failed", { error });
    }
  }

  async #gather() {
    const { db, nodeId, supervisor, lease, loop, settings, storage, version, unpacker, intake, rules } =
      this.#deps;
    const connections = await countBrokerConnections(db, nodeId);
    const workers = supervisor.facts().map((worker) => ({
      ...worker,
      connections: worker.name.startsWith("broker") ? (connections.get(worker.pid ?? 0) ?? 0) : null,
    }));
    return await gatherFacts({
      version,
      instance: settings.instance,
      stateFolder: settings.layout.stateFolder,
      startTimeoutsMs: {
        lxc: settings.limits.startTimeoutMs,
        kvm: (settings.machineLimits ?? settings.limits).startTimeoutMs,
      },
      lease: lease.state,
      workers,
      desktops: loop.list(),
      strangers: loop.strangers,
      notUnpacked: unpacker.failed,
      strangeImages: intake.strangers,
      rules: rules.trouble,
      freeBytes: () => storage.freeBytes(),
      sharedFolder: settings.layout.sharedFolder,
      readUse: () => storage.readUse(),
      acceleration: this.#deps.acceleration,
    });
  }
}

/**
 * Watches other boxes of the same shared storage, and takes over from one that is lost. Their counters are read
 * each second; the database is asked only when one stands still, and now and then whom to watch. What is seen
 * counts only while it is looked without a gap: a watcher that was stopped itself, a storage that didn't answer
 * or a database that was away begin anew.
 */

import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { type LeaseSight, listLeases, listNeighbours, type Neighbour } from "../../db/queries/neighbours.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { decideLoss } from "../../domain/node/decide-loss.ts";
import type { LeaseTimes } from "../../domain/node/lease-times.ts";
import { systemTimers, type Timers } from "../../lib/clock.ts";
import { AppError, describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { NodeIdentity } from "../deps.ts";
import { reportUnreachable } from "../report/report-unreachable.ts";
import { takeOver } from "./take-over.ts";

export type NodesWatchDeps = {
  readonly db: Db;
  readonly node: NodeIdentity;
  readonly times: LeaseTimes;
  /** Undefined where there is no shared storage: then nobody is watched. */
  readonly shared:
    | {
        readonly id: string;
        /** The id that is really there now. */
        readonly readId: () => Promise<string | undefined>;
        readonly readCounter: (nodeId: NodeId) => Promise<string | undefined>;
      }
    | undefined;
  /** While it doesn't hold its own right a box takes nothing over. */
  readonly hasLease: () => boolean;
  readonly onTaken: (vmIds: readonly VmId[], from: Neighbour) => void;
  readonly nowMs: () => number;
  /** Registered nodes, as far as known: one of many needs to ask only now and then whether one is silent. */
  readonly nodes?: () => number;
  /** The system's where none are given. */
  readonly timers?: Timers;
  readonly log: Log;
};

/**
 * What its counter was, since when, and when it was last seen to be so. The first moment is one after the reading
 * that found it so, the last one before: a watcher that was stopped in between has seen nothing of that time.
 */
type Sight = { readonly counter: string | undefined; readonly sinceMs: number; readonly seenAtMs: number };

const MOST_WATCHED = 8;
/** All boxes of a site together ask ten times a second at most who doesn't answer. */
const ASK_EVERY_MS_PER_NODE = 100;

export class NodesWatch {
  readonly #deps: NodesWatchDeps;
  readonly #sights = new Map<NodeId, Sight>();
  #neighbours: readonly Neighbour[] = [];
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #toldAtMs: number | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #databaseSinceMs: number | undefined;
  #databaseAtMs = Number.NEGATIVE_INFINITY;
  #serverStartedAt = "";
  #told = new Map<NodeId, string>();
  #isLooking = false;
  /** A reading that hangs with the storage holds a thread; there is never a second one. */
  #isReading = false;
  #endLooking: (() => void) | undefined;

  constructor(deps: NodesWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { times, timers = systemTimers } = this.#deps;
    this.#endLooking = timers.every(times.validMs / 10, () => void this.#look());
  }

  stop(): void {
    this.#endLooking?.();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#watch();
      await this.#tellOfUnreachable();
    } catch (error) {
      this.#deps.log.debug("nodes-not-watched", { reason: describeError(error) });
    } finally {
      this.#isLooking = false;
    }
  }

  async #watch(): Promise<void> {
    const { shared, times, nowMs, hasLease } = this.#deps;
    if (shared === undefined) return;
    if (nowMs() - this.#lookedAtMs > times.validMs / 3) this.#sights.clear();
    this.#lookedAtMs = nowMs();
    if (nowMs() - this.#askedAtMs > times.validMs / 3) await this.#readNeighbours(shared.id);
    if (!(await this.#readCounters())) return;
    const still = this.#neighbours.filter(({ nodeId }) => this.#stillMs(nodeId) > times.counterEveryMs * 2);
    if (still.length === 0) return;
    const rows = await this.#ask("read the leases of other nodes", (db) =>
      listLeases(
        db,
        still.map(({ nodeId }) => nodeId),
      ),
    );
    this.#noteServer(rows);
    for (const row of rows) {
      const lost = still.find(({ nodeId }) => nodeId === row.nodeId);
      if (lost !== undefined && hasLease()) await this.#judge(lost, row);
    }
  }

  async #readNeighbours(sharedId: string): Promise<void> {
    const { nodeId } = this.#deps.node;
    this.#neighbours = await this.#ask("list the nodes to watch", (db) =>
      listNeighbours(db, { nodeId, sharedId, limit: MOST_WATCHED }),
    );
    this.#askedAtMs = this.#deps.nowMs();
    const ids = new Set(this.#neighbours.map((one) => one.nodeId));
    for (const known of this.#sights.keys()) if (!ids.has(known)) this.#sights.delete(known);
  }

  /** False when the storage isn't there or doesn't answer: then nothing that was seen counts. */
  async #readCounters(): Promise<boolean> {
    const { shared, nowMs, log } = this.#deps;
    if (shared === undefined || this.#isReading) return false;
    this.#isReading = true;
    const read = async () => {
      try {
        if ((await shared.readId()) !== shared.id)
          throw new AppError("unavailable", "the shared storage is not mounted");
        const counters = this.#neighbours.map(async ({ nodeId }) => {
          const seenAtMs = nowMs();
          const counter = await shared.readCounter(nodeId);
          const before = this.#sights.get(nodeId);
          const sinceMs = before?.counter === counter ? before?.sinceMs : undefined;
          this.#sights.set(nodeId, { counter, sinceMs: sinceMs ?? nowMs(), seenAtMs });
        });
        await Promise.all(counters);
      } finally {
        this.#isReading = false;
      }
    };
    try {
      await this.#inTime(read);
      return true;
    } catch (error) {
      this.#sights.clear();
      log.debug("counters-not-read", { reason: describeError(error) });
      return false;
    }
  }

  async #judge(lost: Neighbour, row: LeaseSight): Promise<void> {
    const { times, log, onTaken, db, node } = this.#deps;
    const { isLost, reason } = decideLoss({
      counterUnchangedForMs: this.#stillMs(lost.nodeId),
      databaseForMs: this.#databaseForMs(),
      row,
      validMs: times.validMs,
    });
    if (!isLost) {
      // One line for each change of kind, not for each second of waiting.
      const kind = reason.replace(/[\d.]+/g, "");
      if (this.#told.get(lost.nodeId) !== kind) log.info("node-silent", { node: lost.name, reason });
      this.#told.set(lost.nodeId, kind);
      return;
    }
    // Whoever doesn't hear its end tries again, and finds the epoch moved on when it was done.
    const vmIds = await attemptDatabase(
      `take over from ${lost.name}`,
      () => takeOver({ db, node }, { lost, epoch: row.epoch, reason }),
      times.validMs,
    );
    if (vmIds === undefined) return;
    this.#told.delete(lost.nodeId);
    log.warn("node-taken-over", { node: lost.name, desktops: vmIds.length, reason });
    onTaken(vmIds, lost);
  }

  /** As last seen, not as of now: a box that was stopped since has seen nothing in between. */
  #stillMs(nodeId: NodeId): number {
    const sight = this.#sights.get(nodeId);
    return sight === undefined ? 0 : Math.max(0, sight.seenAtMs - sight.sinceMs);
  }

  #databaseForMs(): number {
    return Math.max(0, this.#databaseAtMs - (this.#databaseSinceMs ?? Number.POSITIVE_INFINITY));
  }

  /** Another server, or the same one anew, may have an older truth or another clock. */
  #noteServer(rows: readonly LeaseSight[]): void {
    const started = rows[0]?.serverStartedAt;
    if (started === undefined || started === this.#serverStartedAt) return;
    if (this.#serverStartedAt !== "") this.#databaseSinceMs = this.#deps.nowMs();
    this.#serverStartedAt = started;
  }

  async #ask<T>(doing: string, query: (db: Db) => Promise<T>): Promise<T> {
    const { db, nowMs, times } = this.#deps;
    const askedAtMs = nowMs();
    if (askedAtMs - this.#databaseAtMs > times.validMs) this.#databaseSinceMs = undefined;
    try {
      const answer = await attemptDatabase(doing, () => query(db), times.validMs / 4);
      this.#databaseAtMs = askedAtMs;
      this.#databaseSinceMs ??= nowMs();
      return answer;
    } catch (error) {
      this.#databaseSinceMs = undefined;
      throw error;
    }
  }

  async #tellOfUnreachable(): Promise<void> {
    const { nowMs, times, node, log, nodes } = this.#deps;
    const silentMs = times.validMs * 1.5;
    const everyMs = Math.max(silentMs, (nodes?.() ?? 0) * ASK_EVERY_MS_PER_NODE);
    // Beginning somewhere within that time, so that those who start together don't ask together.
    if (this.#toldAtMs === undefined)
      this.#toldAtMs = nowMs() - silentMs - Math.random() * (everyMs - silentMs);
    if (nowMs() - this.#toldAtMs < everyMs) return;
    this.#toldAtMs = nowMs();
    const told = await this.#ask("look for nodes that don't answer", (db) =>
      reportUnreachable(db, { nodeId: node.nodeId, silentMs }),
    );
    if (told > 0) log.warn("desktops-unreachable", { told });
  }

  async #inTime(work: () => Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new AppError("timeout", "the shared storage doesn't answer"));
      timer = setTimeout(fail, this.#deps.times.validMs / 4);
    });
    try {
      await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Keeps a box's right to run desktops: renews both halves, and fences when neither could be renewed or another
 * box has taken over. What to do is decided by `domain/node/decide-lease.ts`; this does it. It listens to
 * nobody: all it reads is its row, its clock and who runs as the node of this box.
 */

import type { NodeId } from "../../domain/ids.ts";
import {
  acceptRenewal,
  decideLease,
  type LeasePhase,
  type Renewal,
  type Renewals,
} from "../../domain/node/decide-lease.ts";
import type { LeaseTimes } from "../../domain/node/lease-times.ts";
import { systemTimers, type Timers } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Counter } from "../lease/counter-file.ts";
import type { KeeperFile, KeeperOrigin } from "../lease/keeper-file.ts";
import type { Fence } from "./fence.ts";
import { giveUp } from "./give-up.ts";
import type { RowKeeper } from "./row-keeper.ts";

export type KeeperDeps = {
  readonly nodeId: NodeId;
  readonly row: Pick<RowKeeper, "read" | "renew" | "retake">;
  /** The node of this box as it is registered now: another one than before when it was removed, or the database is another. */
  readonly findNode: () => Promise<NodeId | undefined>;
  /** Undefined where there is no shared storage. */
  readonly writeCounter: ((nodeId: NodeId, counter: Counter) => Promise<void>) | undefined;
  readonly boxId: string;
  readonly fence: Omit<Fence, never>;
  /** What an earlier keeper of this start of the machine told. */
  readonly before: KeeperFile | undefined;
  readonly tell: (file: Omit<KeeperFile, keyof KeeperOrigin | "pid">) => void;
  /** Ends the node process, whose steps belong to an epoch that is over; resolves when it is gone. */
  readonly endNode: () => Promise<void>;
  /** Called at each look, as long as it is well: whoever waits for it restarts the machine. */
  readonly patWatchdog: () => void;
  readonly bootMs: () => number;
  /** The system's where none are given. */
  readonly timers?: Timers;
  readonly times: LeaseTimes;
  readonly log: Log;
};

const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 250;
const STOP_KILL_MS = 5_000;
/** A start that was under way may mount a home after the others were frozen. */
const FREEZE_AGAIN_MS = 1_000;
/** Soon at first, then now and then. */
const THAW_AGAIN = { soonEveryMs: 5_000, soonForMs: 30_000, everyMs: 30_000, forMs: 300_000 };

export class Keeper {
  readonly #deps: KeeperDeps;
  #nodeId: NodeId;
  /** A predecessor's word may be of another database, where that node is another box. */
  #isNodeOurs: boolean;
  #phase: LeasePhase = "held";
  #epoch = 0;
  #fences = false;
  #hasEpochMoved = false;
  #hasHeld: boolean;
  #renewals: Renewals;
  #count = 0;
  #trouble = "";
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #rowAskedAtMs = Number.NEGATIVE_INFINITY;
  #counterAskedAtMs = Number.NEGATIVE_INFINITY;
  #isAskingRow = false;
  #isAskingCounter = false;
  #isMoving = false;
  #isFreezing = false;
  #frozenAtMs = Number.NEGATIVE_INFINITY;
  /** When desktops were last let go on, or may have been by a predecessor. */
  #thawedAtMs = Number.NEGATIVE_INFINITY;
  #thawedAgainAtMs = Number.NEGATIVE_INFINITY;
  #endLooking: (() => void) | undefined;

  constructor(deps: KeeperDeps) {
    const { before } = deps;
    this.#deps = deps;
    this.#nodeId = deps.nodeId;
    this.#isNodeOurs = before === undefined;
    this.#epoch = before?.epoch ?? 0;
    this.#fences = before?.fences ?? false;
    this.#phase = before?.phase === "lost" || deps.fence.isFrozen ? "frozen" : "held";
    this.#hasEpochMoved = before?.phase === "lost";
    this.#hasHeld = before !== undefined;
    if (before !== undefined) this.#thawedAtMs = deps.bootMs();
    // Without a word of a predecessor nothing is known to be renewed, and nothing to be lapsing either.
    this.#renewals = before?.renewals ?? { rowAtMs: deps.bootMs(), counterAtMs: 0 };
  }

  start(): void {
    const { timers = systemTimers } = this.#deps;
    this.#endLooking = timers.every(LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  /** Desktops don't outlive the keeper of a box that others could take over from. */
  async stop(): Promise<void> {
    this.#endLooking?.();
    const { fence, log } = this.#deps;
    if (!this.#fences || fence.isEmpty) return;
    log.warn("desktops-killed", { reason: "the keeper was ended while they ran" });
    await fence.kill(STOP_KILL_MS);
  }

  #look(): void {
    const { bootMs, fence, times, log } = this.#deps;
    const nowMs = bootMs();
    // As long as nobody could take over, it is only to be heard.
    if (!this.#fences && !this.#hasEpochMoved && nowMs - this.#lookedAtMs < TELL_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    const order = decideLease(
      {
        nowMs,
        phase: this.#phase,
        fences: this.#fences,
        hasEpochMoved: this.#hasEpochMoved,
        renewals: this.#renewals,
        isFrozen: fence.isFrozen,
      },
      times,
    );
    if (order.action !== "none" && !this.#isMoving)
      log.warn(`lease-${order.action}`, { epoch: this.#epoch, reason: order.reason });
    if (order.action === "freeze") this.#freeze(order.reason);
    else if (order.action === "thaw") void this.#thaw();
    else if (order.action === "lose") void this.#lose(order.reason);
    if (order.action === "none") {
      this.#thawAgain();
      this.#freezeAgain();
    }
    this.#renew();
    this.#tell();
    this.#deps.patWatchdog();
  }

  #freeze(reason: string): void {
    this.#phase = "frozen";
    this.#trouble = reason;
    this.#deps.fence.freezeProcesses();
    this.#freezeDisks("all");
  }

  #freezeAgain(): void {
    if (this.#phase !== "frozen" || this.#isMoving || this.#isFreezing) return;
    if (this.#deps.bootMs() - this.#frozenAtMs >= FREEZE_AGAIN_MS) this.#freezeDisks("new");
  }

  #freezeDisks(which: "all" | "new"): void {
    const { fence, bootMs, log } = this.#deps;
    this.#isFreezing = true;
    fence
      .freezeDisks(which)
      .catch((error) => log.error("disks-not-frozen", { error }))
      .finally(() => {
        this.#isFreezing = false;
        this.#frozenAtMs = bootMs();
      });
  }

  async #thaw(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    try {
      const isStill = () => this.#phase !== "lost" && !this.#hasEpochMoved;
      await this.#deps.fence.thaw(isStill);
      if (!isStill()) return;
      this.#phase = "held";
      this.#trouble = "";
      this.#thawedAtMs = this.#deps.bootMs();
    } catch (error) {
      this.#deps.log.error("not-thawed", { error });
    } finally {
      this.#isMoving = false;
    }
  }

  /**
   * A freezing may come true after the thaw: one that hung with the storage, or that of a node process or keeper
   * which was stopped in the middle of it. Nobody can be asked; a disk that isn't frozen takes no harm.
   */
  #thawAgain(): void {
    const { bootMs, fence, log } = this.#deps;
    const nowMs = bootMs();
    const sinceMs = nowMs - this.#thawedAtMs;
    const everyMs = sinceMs < THAW_AGAIN.soonForMs ? THAW_AGAIN.soonEveryMs : THAW_AGAIN.everyMs;
    if (this.#phase !== "held" || sinceMs > THAW_AGAIN.forMs) return;
    if (nowMs - Math.max(this.#thawedAtMs, this.#thawedAgainAtMs) < everyMs) return;
    this.#thawedAgainAtMs = nowMs;
    fence
      .thawDisks()
      .then((isSure) => {
        // One that hangs with its storage freezes when that is back, however long it takes.
        if (!isSure) this.#thawedAtMs = bootMs();
      })
      .catch((error) => log.error("disks-not-thawed", { error }));
  }

  async #lose(reason: string): Promise<void> {
    this.#phase = "lost";
    this.#trouble = reason;
    this.#tell(true);
    const { fence, endNode, bootMs, timers = systemTimers, log } = this.#deps;
    // A node process that waits for its first lease has begun nothing.
    const endSteps = this.#hasHeld ? endNode : async () => {};
    const epoch = await giveUp({ fence, endNode: endSteps, retake: () => this.#retake(), timers, log });
    this.#epoch = epoch;
    this.#hasEpochMoved = false;
    this.#isNodeOurs = true;
    this.#renewals = { rowAtMs: bootMs(), counterAtMs: 0 };
    this.#phase = "held";
    this.#trouble = "";
    log.warn("lease-taken-anew", { epoch });
    this.#tell(true);
  }

  /** Undefined while this box is no node. */
  async #retake(): Promise<number | undefined> {
    const { row, findNode } = this.#deps;
    const nodeId = await findNode();
    if (nodeId === undefined) return undefined;
    if (nodeId !== this.#nodeId) await row.read(nodeId);
    this.#nodeId = nodeId;
    return await row.retake(nodeId);
  }

  #renew(): void {
    if (this.#phase === "lost" || this.#hasEpochMoved) return;
    const { times, bootMs, writeCounter } = this.#deps;
    const nowMs = bootMs();
    // Frozen desktops wait for it, so it is asked more often.
    const everyMs = this.#phase === "frozen" ? times.rowEveryMs / 3 : times.rowEveryMs;
    if (!this.#isAskingRow && nowMs - this.#rowAskedAtMs >= everyMs) void this.#renewRow(nowMs);
    if (writeCounter === undefined || this.#isAskingCounter || this.#epoch === 0) return;
    if (nowMs - this.#counterAskedAtMs >= times.counterEveryMs) void this.#renewCounter(nowMs, writeCounter);
  }

  async #renewRow(sentAtMs: number): Promise<void> {
    this.#isAskingRow = true;
    this.#rowAskedAtMs = sentAtMs;
    const { row, log } = this.#deps;
    try {
      if (!(await this.#isOwnNode())) {
        this.#hasEpochMoved = true;
        return;
      }
      if (this.#epoch === 0) await this.#takeFirst();
      const epoch = this.#epoch;
      const isTold = this.#fences;
      const { isStanding, peers } = await row.renew(this.#nodeId, epoch, isTold);
      if (!isStanding) this.#hasEpochMoved = true;
      else {
        this.#hasHeld = true;
        this.#accept({ half: "row", sentAtMs, doneAtMs: this.#deps.bootMs() });
        // Promised here first and told after, withdrawn there first and forgotten after.
        if (peers > 0) this.#fences = true;
        else if (this.#fences) await this.#withdraw(epoch);
      }
    } catch (error) {
      log.debug("row-not-renewed", { reason: describeError(error) });
    } finally {
      this.#isAskingRow = false;
    }
  }

  async #isOwnNode(): Promise<boolean> {
    if (this.#isNodeOurs) return true;
    const nodeId = await this.#deps.findNode();
    this.#isNodeOurs = nodeId === this.#nodeId;
    // Of one that isn't registered the row says that it is gone.
    return nodeId === undefined || this.#isNodeOurs;
  }

  /** No keeper of this start of the machine has left word: whatever runs is of the row's epoch, or lost. */
  async #takeFirst(): Promise<void> {
    const { epoch, isLost } = await this.#deps.row.read(this.#nodeId);
    this.#epoch = epoch;
    this.#hasEpochMoved = isLost;
    this.#renewals = { ...this.#renewals, rowAtMs: this.#deps.bootMs() };
  }

  async #withdraw(epoch: number): Promise<void> {
    const { isStanding } = await this.#deps.row.renew(this.#nodeId, epoch, false);
    if (isStanding) this.#fences = false;
    else this.#hasEpochMoved = true;
  }

  async #renewCounter(sentAtMs: number, write: NonNullable<KeeperDeps["writeCounter"]>): Promise<void> {
    this.#isAskingCounter = true;
    this.#counterAskedAtMs = sentAtMs;
    try {
      await write(this.#nodeId, { count: ++this.#count, epoch: this.#epoch, boxId: this.#deps.boxId });
      this.#accept({ half: "counter", sentAtMs, doneAtMs: this.#deps.bootMs() });
    } catch (error) {
      this.#deps.log.warn("counter-not-written", { reason: describeError(error) });
    } finally {
      this.#isAskingCounter = false;
    }
  }

  #accept(renewal: Renewal): void {
    const { times } = this.#deps;
    this.#renewals = acceptRenewal(this.#renewals, renewal, { times, fences: this.#fences });
  }

  #tell(isUrgent = false): void {
    const nowMs = this.#deps.bootMs();
    if (!isUrgent && nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    try {
      this.#deps.tell({
        nodeId: this.#nodeId,
        epoch: this.#epoch,
        phase: this.#phase,
        fences: this.#fences,
        renewals: this.#renewals,
        beatMs: nowMs,
        trouble: this.#trouble,
      });
    } catch (error) {
      // The node process fences when it hears nothing; that is all right.
      this.#deps.log.error("keeper-not-told", { reason: describeError(error) });
    }
  }
}

/**
 * The loop of one box: for each of its desktops observe → plan → execute → report, for ever.
 *
 * Level-triggered: a wake, a notice, a control group's event or an agent's word only says that a desktop is
 * worth a look; each pass reads all it needs, and a full pass runs on a timer. In between, a timer asks in one
 * row whether anything is wished anew, for a wake that was lost: a quiet box costs next to nothing. Steps of one desktop run one
 * after the other, those of different desktops at the same time; how many start at once is the queue's. While the database
 * is away no pass runs: desktops and their sessions go on, and the first pass after its return catches up.
 */

import { attemptDatabase } from "../db/errors.ts";
import { listNodeDesktops, type NodeDesktop } from "../db/queries/node-desktops.ts";
import type { NodeNews } from "../db/queries/node-news.ts";
import type { VmId } from "../domain/ids.ts";
import type { VmDesired, VmObserved } from "../domain/vm/facts.ts";
import { planVm } from "../domain/vm/plan.ts";
import type { VmStep } from "../domain/vm/steps.ts";
import { needsStopTurn, needsTurn, wantsDown } from "../domain/vm/wish.ts";
import { backoffMs } from "../lib/backoff.ts";
import { systemTimers, type Timers } from "../lib/clock.ts";
import { isAppError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import type { LoopDeps } from "./deps.ts";
import { composeDesired } from "./desired.ts";
import type { GuestEvent } from "./guest-channel/guest-channels.ts";
import { newMemory, readReport, type VmMemory } from "./memory.ts";
import { type NetworkTimes, NetworkWatch } from "./network-watch.ts";
import { imagesOf, observeDesktop, observeWorld, type World } from "./observe.ts";
import { readNews } from "./read-news.ts";
import { ReportBatch } from "./report-batch.ts";
import { runSteps, type StepDeps } from "./run-steps.ts";
import { Strangers } from "./strangers.ts";
import { TurnQueue } from "./turn-queue.ts";

export type LoopOptions = {
  /** A full pass each so often, and a question for news each so often in between. */
  readonly fullPassMs: number;
  readonly newsMs: number;
  /** Least time from one pass to the next, which the wakes in between share; the first is answered at once. */
  readonly gatherMs: number;
  readonly networkTimes?: NetworkTimes;
};

export const LOOP_OPTIONS: LoopOptions = { fullPassMs: 60_000, newsMs: 15_000, gatherMs: 5 };

const AWAY_BACKOFF = { firstMs: 100, mostMs: 2_000 };
/**
 * What only moved on this box is looked at by wishes that were read, or confirmed by the answer to a report, this long ago at
 * most: in a start's five looks nothing is read after the first. Whoever wishes anew wakes besides, so this is less than
 * what a lost wake costs anyway.
 */
const CONFIRMED_MS = 10_000;
/** What an answer doesn't confirm, such as an image's state, is this old at most. */
const READ_MS = 20_000;
/** A desktop whose plan never comes to rest is a bug; it may not take the box with it. */
const MOST_ROUNDS = 60;
const ROUNDS_WITHIN_MS = 10_000;

/** Actions that a wish to be stopped needn't wait for. */
const CALLED_OFF = new Set(["unpack-image", "prepare-disks", "start-container", "prepare-session"]);

/** What desktops say that changes nothing about them. */
const NO_FACTS: ReadonlySet<GuestEvent["type"]> = new Set([
  "beat",
  "garbage",
  "hook-failed",
  "channel-failed",
  "unlock-asked",
]);

type Look = {
  /** Those that need no reading. */
  readonly known: readonly VmMemory[];
  /** The others, if they were read with it. */
  readonly news: NodeNews | undefined;
  readonly askedAtMs: number;
};

export class NodeLoop {
  readonly #deps: StepDeps;
  readonly #options: LoopOptions;
  readonly #memories = new Map<VmId, VmMemory>();
  readonly #starts: TurnQueue;
  readonly #stops: TurnQueue;
  readonly #networks: NetworkWatch;
  readonly #dirty = new Set<VmId>();
  /** Worth a look, though nothing is known to be wished anew. */
  readonly #stirred = new Set<VmId>();
  readonly #rounds = new Map<VmId, { sinceMs: number; count: number }>();
  readonly #strangers: Strangers;
  #isAllDirty = false;
  readonly #timers: Timers;
  #callOffPass: (() => void) | undefined;
  #endPasses: (() => void) | undefined;
  #isNewsDue = false;
  #isPassing = false;
  #passes = 0;
  #passedAtMs = Number.NEGATIVE_INFINITY;
  #awayTries = 0;
  #isBoxStopping = false;
  #isAtWork = false;
  #life: "not-begun" | "begun" | "over" = "not-begun";

  constructor(deps: LoopDeps, options: LoopOptions = LOOP_OPTIONS) {
    this.#timers = deps.timers ?? systemTimers;
    const nowMs = () => deps.clock.monotonicMs();
    const wake = (vmId: VmId) => this.stir(vmId);
    const { parallelStarts, parallelStops, gentleStarts = parallelStarts } = deps.settings;
    const reports = new ReportBatch({ db: deps.db, nodeId: deps.node.nodeId, nowMs });
    this.#deps = { ...deps, reports, isAtWork: () => this.#isAtWork };
    const most = () => (this.#isAtWork ? gentleStarts : parallelStarts);
    this.#starts = new TurnQueue({ most, onTurn: wake, onNews: wake, nowMs });
    this.#stops = new TurnQueue({ most: () => parallelStops, onTurn: wake, nowMs });
    this.#networks = new NetworkWatch({ ...deps, timers: this.#timers, wake }, options.networkTimes);
    this.#strangers = new Strangers(deps, () => this.wake());
    this.#options = options;
  }

  /** Heeds earlier wakes too: they don't come before a look around (`recoverDesktops`). */
  start(): void {
    const { fullPassMs, newsMs } = this.#options;
    const ends = [
      this.#timers.every(fullPassMs, () => this.wake()),
      this.#timers.every(newsMs, () => this.wakeForNews()),
    ];
    this.#endPasses = () => ends.forEach((end) => void end());
    this.#life = "begun";
    this.wake();
  }

  /** Says that a desktop, or any, is worth a look. */
  wake(vmId?: VmId): void {
    if (vmId === undefined) this.#isAllDirty = true;
    else this.#dirty.add(vmId);
    this.#scheduleGathered();
  }

  #scheduleGathered(): void {
    this.#schedule(Math.max(0, this.#passedAtMs + this.#options.gatherMs - this.#nowMs()));
  }

  /** Says that something of a desktop moved on this box. */
  stir(vmId: VmId): void {
    this.#stirred.add(vmId);
    this.#scheduleGathered();
  }

  /** Says that something may be wished anew: what, the loop asks in one row. */
  wakeForNews(): void {
    this.#isNewsDue = true;
    this.#scheduleGathered();
  }

  takeGuestEvent(vmId: VmId, event: GuestEvent): void {
    if (NO_FACTS.has(event.type)) return;
    const memory = this.#memories.get(vmId);
    if (memory !== undefined) {
      if (event.type === "powering-off") memory.isPoweringOff = true;
      else if (event.type !== "session-changed") memory.agentChangedAtMs = this.#nowMs();
    }
    this.stir(vmId);
  }

  /** Desktops by id, as last known. */
  list(): ReadonlyMap<VmId, VmMemory> {
    return this.#memories;
  }

  /** Living desktops that the database doesn't place here. */
  get strangers(): readonly VmId[] {
    return this.#strangers.living;
  }

  get isDatabaseAway(): boolean {
    return this.#awayTries > 0;
  }

  /** Stops every desktop of the box, gracefully; true when all are down. Wishes stay as they are. */
  async stopDesktops(timeoutMs: number): Promise<boolean> {
    this.#isBoxStopping = true;
    this.wake();
    const isDown = () =>
      [...this.#memories.values()].every((one) => one.report.state === "stopped" && !one.running);
    return (await waitFor(isDown, { timeoutMs, everyMs: 50 })) === true;
  }

  /** Ends the loop; desktops go on. Steps that can be called off are; others are waited for, for a while. */
  async stop(timeoutMs: number): Promise<void> {
    this.#life = "over";
    this.#callOffPass?.();
    this.#endPasses?.();
    for (const memory of this.#memories.values()) {
      memory.callOff?.();
      if (memory.running !== undefined && CALLED_OFF.has(memory.running.action)) memory.running.abort.abort();
    }
    const isIdle = () => !this.#isPassing && [...this.#memories.values()].every((one) => !one.running);
    await waitFor(isIdle, { timeoutMs });
  }

  #schedule(ms: number): void {
    if (this.#life !== "begun" || this.#callOffPass !== undefined || this.#isPassing) return;
    this.#callOffPass = this.#timers.after(ms, () => {
      this.#callOffPass = undefined;
      void this.#pass();
    });
  }

  async #pass(): Promise<void> {
    this.#isPassing = true;
    this.#passes++;
    this.#passedAtMs = this.#nowMs();
    const isFull = this.#isAllDirty;
    const isForNews = this.#isNewsDue && !isFull;
    const known = this.#takeStirred();
    const dirty = [...this.#dirty];
    this.#isAllDirty = false;
    this.#isNewsDue = false;
    this.#dirty.clear();
    let pauseMs = this.#options.gatherMs;
    try {
      const askedAtMs = this.#nowMs();
      const news = isForNews ? await this.#readNews(dirty) : undefined;
      const vmIds = news?.vmIds ?? dirty;
      if (isFull || vmIds.length > 0 || news?.hasUnplaced === true)
        await this.#look(isFull ? undefined : vmIds, { known, news, askedAtMs });
      else if (known.length > 0) await this.#lookAgain(known);
      if (this.#awayTries > 0) this.#deps.log.info("database-back", { tries: this.#awayTries });
      this.#awayTries = 0;
    } catch (error) {
      pauseMs = this.#takeFault(error);
      // What may have been missed meanwhile is seen by the next pass.
      this.#isAllDirty = true;
    }
    this.#isPassing = false;
    this.#deps.earlySessions?.letGoBetween(this.#starts, this.#memories);
    if (this.#isAllDirty || this.#dirty.size + this.#stirred.size > 0) this.#schedule(pauseMs);
  }

  /** Those whose wishes need no reading; the others are looked at like any that woke. */
  #takeStirred(): readonly VmMemory[] {
    const nowMs = this.#nowMs();
    const known: VmMemory[] = [];
    for (const vmId of this.#stirred) {
      const memory = this.#memories.get(vmId);
      const isConfirmed =
        memory !== undefined &&
        nowMs - memory.confirmedAtMs <= CONFIRMED_MS &&
        nowMs - memory.readAtMs <= READ_MS;
      if (!isConfirmed) this.#dirty.add(vmId);
      else if (!this.#dirty.has(vmId)) known.push(memory);
    }
    this.#stirred.clear();
    return known;
  }

  #takeFault(error: unknown): number {
    const isAway = isAppError(error) && error.code === "database-away";
    if (this.#awayTries === 0 || !isAway)
      this.#deps.log.error(isAway ? "database-away" : "pass-failed", { error });
    this.#awayTries++;
    return backoffMs(this.#awayTries, AWAY_BACKOFF);
  }

  #readNews(dirty: readonly VmId[]) {
    return attemptDatabase("ask for news", () => readNews(this.#deps, this.#memories, new Set(dirty)));
  }

  async #look(vmIds: readonly VmId[] | undefined, { known, news, askedAtMs }: Look): Promise<void> {
    const { db, node } = this.#deps;
    // Desktops that nobody has are placed on the way: a wake for them may have been lost as well.
    const mayWait = news?.hasUnplaced ?? vmIds?.some((vmId) => !this.#memories.has(vmId)) ?? true;
    const placed = mayWait ? await attemptDatabase("place desktops", this.#deps.place) : [];
    const asked = vmIds === undefined ? undefined : [...vmIds, ...placed];
    const unread = news === undefined ? asked : placed;
    const read = () => listNodeDesktops(db, node.nodeId, unread);
    const isRead = unread !== undefined && unread.length === 0;
    const others = isRead ? [] : await attemptDatabase("read the desktops of this node", read);
    const desktops = [...(news?.desktops ?? []), ...others];
    // The others are looked at when their steps have ended: till then only what is wished of them matters.
    const idle = desktops.filter(({ vmId }) => this.#memories.get(vmId)?.running === undefined);
    const world = await observeWorld(this.#deps, imagesOf(idle), asked && idle.map(({ vmId }) => vmId));
    this.#forget(desktops, vmIds);
    if (vmIds === undefined) await this.#strangers.sweep({ world, known: this.#memories, desktops });
    this.#isAtWork = [...this.#memories.values()].some(({ report }) => report.xState === "connected");
    for (const desktop of desktops) this.#consider(desktop, world, askedAtMs);
    // They are among those that a full pass has read.
    if (vmIds !== undefined) await this.#lookAgain(known);
  }

  async #lookAgain(known: readonly VmMemory[]): Promise<void> {
    const idle = known.filter(({ running }) => running === undefined).map(({ desktop }) => desktop);
    const vmIds = idle.map(({ vmId }) => vmId);
    const world = await observeWorld(this.#deps, imagesOf(idle), vmIds);
    for (const { desktop } of known) if (this.#memories.has(desktop.vmId)) this.#consider(desktop, world);
  }

  /** Desktops that are gone from the database, or from this node. */
  #forget(desktops: readonly NodeDesktop[], vmIds: readonly VmId[] | undefined): void {
    const present = new Set(desktops.map((desktop) => desktop.vmId));
    for (const vmId of vmIds ?? [...this.#memories.keys()]) {
      const memory = this.#memories.get(vmId);
      if (present.has(vmId) || memory === undefined || memory.running) continue;
      memory.callOff?.();
      this.#memories.delete(vmId);
      this.#rounds.delete(vmId);
      this.#deps.earlySessions?.end(vmId);
      for (const turns of [this.#starts, this.#stops]) turns.release(vmId);
    }
  }

  /** `readAtMs` is when the database was asked for it; undefined when it is as remembered. */
  #consider(desktop: NodeDesktop, world: World, readAtMs?: number): void {
    const nowMs = this.#nowMs();
    const { machineLimits, limits: ofAll } = this.#deps.settings;
    const limits = (desktop.osf.hypervisor === "kvm" && machineLimits) || ofAll;
    const memory = this.#memories.get(desktop.vmId) ?? newMemory(desktop, nowMs);
    this.#memories.set(desktop.vmId, memory);
    // Its steps ended after this pass had read the database: it is looked at again, with fresh eyes.
    if (memory.movedInPass === this.#passes) return;
    memory.desktop = desktop;
    if (readAtMs !== undefined) {
      memory.readAtMs = nowMs;
      memory.confirmedAtMs = readAtMs;
    }
    const bases = { unpacked: world.bases, isUnpacking: this.#deps.isUnpacking };
    const box = { isStopping: this.#isBoxStopping, nowMs: memory.readAtMs, bases };
    const desired = composeDesired(desktop, box);
    if (memory.running !== undefined) {
      // It is looked at again when its steps have ended.
      if (wantsDown(desired) && CALLED_OFF.has(memory.running.action)) memory.running.abort.abort();
      // Its session may still take long; others needn't wait for that with their start.
      if (memory.report.state === "running") this.#starts.release(desktop.vmId, { isDone: true });
      return;
    }
    if (readAtMs !== undefined) memory.report = readReport(desktop, nowMs);
    const unqueued = observeDesktop(this.#deps, memory, world);
    memory.wasVisited ||= unqueued.agent.xState !== "none" || desired.session?.state === "listening";
    const mustWait = this.#networks.look(memory, unqueued);
    // Its start goes on when the check wakes it; a wish to stop waits for nothing.
    if (mustWait && !wantsDown(desired)) return;
    const observed = this.#takeTurns(desired, unqueued, memory);
    const plan = planVm(desired, observed, { nowMs, limits });
    memory.callOff?.();
    memory.failure = undefined;
    memory.callOff = undefined;
    if (plan.steps.length > 0) {
      if (this.#isRestless(memory, nowMs)) this.#wakeLater(memory, ROUNDS_WITHIN_MS);
      else void this.#run(memory, plan.steps);
    } else if (plan.wakeAtMs !== undefined) this.#wakeLater(memory, plan.wakeAtMs - nowMs);
  }

  async #run(memory: VmMemory, steps: readonly VmStep[]): Promise<void> {
    await runSteps(this.#deps, memory, steps);
    memory.running = undefined;
    memory.movedInPass = this.#passes;
    this.stir(memory.desktop.vmId);
  }

  /** What it has of its places in the box's queues. */
  #takeTurns(desired: VmDesired, observed: VmObserved, memory: VmMemory): VmObserved {
    const { vmId } = memory.desktop;
    const { state } = memory.report;
    const isStopping = needsStopTurn(desired, observed);
    const isStarting = needsTurn(desired, observed, this.#nowMs());
    if (!isStopping) this.#stops.release(vmId);
    else if (state !== "running") this.#stops.count(vmId);
    if (!isStarting) this.#starts.release(vmId, { isDone: state === "running" || state === "starting_2" });
    else if (state === "starting_2") this.#starts.count(vmId);
    const queuePosition = isStarting ? this.#starts.ask(vmId) : 0;
    if (queuePosition > 0) this.#starts.noteTold(vmId, memory.report.queueDueAtMs);
    return {
      ...observed,
      queuePosition,
      queueDueAtMs: queuePosition === 0 ? undefined : this.#starts.dueAtMs(queuePosition),
      stopQueuePosition: isStopping ? this.#stops.ask(vmId) : 0,
    };
  }

  #wakeLater(memory: VmMemory, ms: number): void {
    memory.callOff = this.#timers.after(Math.max(1, ms), () => this.stir(memory.desktop.vmId));
  }

  #isRestless(memory: VmMemory, nowMs: number): boolean {
    const { vmId } = memory.desktop;
    const rounds = this.#rounds.get(vmId);
    if (rounds === undefined || nowMs - rounds.sinceMs > ROUNDS_WITHIN_MS) {
      this.#rounds.set(vmId, { sinceMs: nowMs, count: 1 });
      return false;
    }
    rounds.count++;
    if (rounds.count === MOST_ROUNDS) this.#deps.log.error("plan-restless", { vmId, report: memory.report });
    return rounds.count >= MOST_ROUNDS;
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}

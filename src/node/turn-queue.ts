/**
 * Whose turn it is: at most so many desktops start, or stop, at a time, the others first come, first served;
 * many at once make each slower than one after the other. Who waits gets a place and an estimate: the turns
 * that are held now and those before it, each as long as turns have lately been.
 */

import type { VmId } from "../domain/ids.ts";
import { isQueueNews } from "../domain/vm/plan-queue.ts";

export type TurnQueueOptions = {
  /** Turns held at a time; may change, and asked for each time. */
  readonly most: () => number;
  /** Called for a desktop that waited and now has its turn. */
  readonly onTurn: (vmId: VmId) => void;
  /** Called for one that waits when what it was told (`noteTold`) no longer holds. */
  readonly onNews?: (vmId: VmId) => void;
  readonly nowMs: () => number;
};

/** What the estimate goes by: enough to be a mean, few enough to follow the box as it gets busier or idle. */
const MEASURED_TURNS = 24;
/** Of the longest and of the shortest, left out of the mean: a first start that unpacks its image takes tenfold. */
const EXTREME_PART = 0.2;
/** A turn that lasts longer than they do is about to end, for all we know. */
const OVERDUE_PART = 0.2;
/** An estimate may be this old, and news of it come this far apart; otherwise each of n that wait costs a look at all n. */
const FRESH_MS = 200;

type Estimate = { readonly atMs: number; readonly version: number; readonly dueAtMs: readonly number[] };

export class TurnQueue {
  readonly #options: TurnQueueOptions;
  /** Since when each holds its turn. */
  readonly #active = new Map<VmId, number>();
  readonly #waiting = new Set<VmId>();
  readonly #tookMs: number[] = [];
  /** When each that waits believes that its turn comes. */
  readonly #told = new Map<VmId, number>();
  #toldNewsAtMs = Number.NEGATIVE_INFINITY;
  #version = 0;
  #places: { readonly version: number; readonly of: ReadonlyMap<VmId, number> } | undefined;
  #estimate: Estimate | undefined;

  constructor(options: TurnQueueOptions) {
    this.#options = options;
  }

  /** Takes a turn or a place; 0 when it has its turn, else its place in the queue. May be called again. */
  ask(vmId: VmId): number {
    if (this.#active.has(vmId)) return 0;
    if (this.#active.size < this.#options.most() && this.#waiting.size === 0) {
      this.#take(vmId);
      return 0;
    }
    if (!this.#waiting.has(vmId)) {
      this.#waiting.add(vmId);
      this.#version++;
    }
    return this.#readPlaces().get(vmId) ?? this.#waiting.size;
  }

  /** Counts a desktop that is at it already, as after a restart of the node, whatever the bound. */
  count(vmId: VmId): void {
    if (this.#active.has(vmId)) return;
    this.#waiting.delete(vmId);
    this.#take(vmId);
  }

  /** `isDone`: its turn brought it where it should, so that its length says something of the others'. */
  release(vmId: VmId, { isDone = false }: { readonly isDone?: boolean } = {}): void {
    const sinceMs = this.#active.get(vmId);
    if (isDone && sinceMs !== undefined) {
      this.#tookMs.push(this.#options.nowMs() - sinceMs);
      if (this.#tookMs.length > this.#mostMeasured) this.#tookMs.shift();
    }
    if (!this.#waiting.delete(vmId) && sinceMs === undefined) return;
    this.#active.delete(vmId);
    this.#told.delete(vmId);
    this.#version++;
    for (const next of this.#waiting) {
      if (this.#active.size >= this.#options.most()) break;
      this.#waiting.delete(next);
      this.#take(next);
      this.#options.onTurn(next);
    }
    this.#tellNews();
  }

  /** Nobody has a turn, or waits for one. */
  get isIdle(): boolean {
    return this.#active.size + this.#waiting.size === 0;
  }

  /** What a desktop that waits was last told. */
  noteTold(vmId: VmId, dueAtMs: number | undefined): void {
    if (dueAtMs === undefined) this.#told.delete(vmId);
    else this.#told.set(vmId, dueAtMs);
  }

  /** When the turn of the one at `place` is estimated to come; undefined while nothing was measured. */
  dueAtMs(place: number): number | undefined {
    const nowMs = this.#options.nowMs();
    const last = this.#estimate;
    const isFresh = last?.version === this.#version && nowMs - last.atMs <= FRESH_MS;
    this.#estimate = isFresh
      ? last
      : { atMs: nowMs, version: this.#version, dueAtMs: this.#listTurns(nowMs) };
    return this.#estimate?.dueAtMs[place - 1];
  }

  get #mostMeasured(): number {
    return Math.max(MEASURED_TURNS, 2 * this.#options.most());
  }

  /** A turn has ended, which is when estimates change. */
  #tellNews(): void {
    const { onNews } = this.#options;
    const nowMs = this.#options.nowMs();
    if (onNews === undefined || nowMs - this.#toldNewsAtMs < FRESH_MS) return;
    this.#toldNewsAtMs = nowMs;
    const dueAtMs = this.#listTurns(nowMs);
    for (const [vmId, place] of this.#readPlaces()) {
      const due = dueAtMs[place - 1];
      if (due !== undefined && isQueueNews(this.#told.get(vmId), due, nowMs)) onNews(vmId);
    }
  }

  #take(vmId: VmId): void {
    this.#told.delete(vmId);
    this.#active.set(vmId, this.#options.nowMs());
    this.#version++;
  }

  #readPlaces(): ReadonlyMap<VmId, number> {
    if (this.#places?.version !== this.#version)
      this.#places = {
        version: this.#version,
        of: new Map([...this.#waiting].map((vmId, index) => [vmId, index + 1])),
      };
    return this.#places.of;
  }

  /** Plays the queue through: each waiting one takes the place that is free first. */
  #listTurns(nowMs: number): readonly number[] {
    if (this.#tookMs.length === 0) return [];
    const meanMs = meanOfMost(this.#tookMs);
    const free = [...this.#active.values()].map((sinceMs) =>
      Math.max(sinceMs + meanMs, nowMs + meanMs * OVERDUE_PART),
    );
    const most = this.#options.most();
    while (free.length < most) free.push(nowMs);
    free.sort((one, other) => one - other);
    // More than the bound may be at it after a restart; nobody follows on those places.
    const excess = free.length - most;
    const slots = free.slice(excess);
    return [...this.#waiting].map(() => {
      const first = slots.indexOf(Math.min(...slots));
      const dueAtMs = slots[first] ?? nowMs;
      slots[first] = dueAtMs + meanMs;
      return dueAtMs;
    });
  }
}

function meanOfMost(values: readonly number[]): number {
  const others = values.length - 1;
  const leftOut = Math.min(Math.ceil(others * EXTREME_PART), Math.floor(others / 2));
  const kept = values.toSorted((one, other) => one - other).slice(leftOut, values.length - leftOut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

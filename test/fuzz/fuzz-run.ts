/** One run over all targets: the same inputs for the same seed, until one of them breaks something. */

import { createRandom } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import { FUZZ_TARGETS, type FuzzTarget } from "./targets.ts";

export type FuzzFault = {
  readonly target: string;
  /** The number of the input among those of its target; with the seed it says which. */
  readonly round: number;
  readonly what: string;
  readonly inputBase64: string;
};

export type FuzzReport = {
  readonly seed: number;
  readonly inputs: number;
  readonly slowestMs: number;
  /** Of the heap, from after the first tenth to the end. */
  readonly grownBytes: number;
  readonly faults: readonly FuzzFault[];
};

export type FuzzOptions = {
  readonly inputs: number;
  readonly seed: number;
  readonly targets?: readonly FuzzTarget[];
  readonly signal?: AbortSignal;
};

/** Longer than any of these inputs may take: a parser that hangs would else hang the run. Generous for a busy machine. */
export const HANG_MS = 2_000;
/** A heap that was collected may still be this much larger than before. */
export const MOST_GROWN_BYTES = 16 * 2 ** 20;
const PORTION = 2_000;

/** Ends early at the first fault of a target; the others are run to their end. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { inputs, seed, targets = FUZZ_TARGETS, signal } = options;
  const faults: FuzzFault[] = [];
  let [done, slowestMs] = [0, 0];
  let usedBytes: number | undefined;
  const each = Math.ceil(inputs / targets.length);
  const runs = targets.map((target, index) => ({
    target,
    random: createRandom(seed * 31 + index),
    isOver: false,
  }));
  for (let first = 0; first < each; first += PORTION) {
    signal?.throwIfAborted();
    const last = Math.min(first + PORTION, each);
    for (const run of runs) {
      for (let round = first; round < last && !run.isOver; round++) {
        const { fault, tookMs } = tryInput(run.target, round, run.random);
        slowestMs = Math.max(slowestMs, tookMs);
        done++;
        if (fault === undefined) continue;
        faults.push(fault);
        run.isOver = true;
      }
    }
    if (usedBytes === undefined && last >= each / 10) usedBytes = measureHeap();
    // Lets a signal in.
    await Bun.sleep(0);
  }
  return { seed, inputs: done, slowestMs, grownBytes: measureHeap() - (usedBytes ?? 0), faults };
}

type Tried = { readonly fault: FuzzFault | undefined; readonly tookMs: number };

function tryInput(target: FuzzTarget, round: number, random: () => number): Tried {
  const input = mutate(target.corpus, random);
  const attempt = (): Tried => {
    const startMs = performance.now();
    const what = findFault(() => target.check(input, random));
    const tookMs = performance.now() - startMs;
    if (what === undefined) return { fault: undefined, tookMs };
    const inputBase64 = Buffer.from(input).toString("base64");
    return { fault: { target: target.name, round, what, inputBase64 }, tookMs };
  };
  const first = attempt();
  if (first.fault !== undefined || first.tookMs < HANG_MS) return first;
  // The machine may have had something else to do just then; an input that hangs does so each time.
  const again = attempt();
  return { ...again, tookMs: Math.min(first.tookMs, again.tookMs) };
}

function findFault(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function measureHeap(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

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
        const startMs = performance.now();
        const fault = tryInput(run.target, round, run.random);
        const tookMs = performance.now() - startMs;
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

function tryInput(target: FuzzTarget, round: number, random: () => number): FuzzFault | undefined {
  const input = mutate(target.corpus, random);
  try {
    target.check(input, random);
    return undefined;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { target: target.name, round, what, inputBase64: Buffer.from(input).toString("base64") };
  }
}

function measureHeap(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

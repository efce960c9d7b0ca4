/**
 * Stays awake for a moment after a small message: the answer to it often comes within microseconds, and falling asleep and
 * being woken costs more than that (half of the round trip on a machine with nothing else to do). Only while messages
 * pass, never for bulk, with a bound on what is spent in vain, and not at all while others want the processor.
 */

export type SpinDeps = {
  readonly nowMs: () => number;
  /** Runs `call` in the next turn of the event loop, which then looks for news without falling asleep. */
  readonly nextTurn: (call: () => void) => void;
};

/** What somebody types or moves, and what is asked and answered between programs. */
export const SMALL_BYTES = 2_048;

const SPIN_MS = 0.05;
/** Of one processor, for waits in which nothing came. */
const MOST_IN_VAIN = 0.02;
const MOST_SAVED_MS = 5;
/** Turns take microseconds: one that took so long was interrupted by somebody who has work to do. */
const INTERRUPTED_MS = 1;
const REST_MS = 100;

export class Spin {
  readonly #deps: SpinDeps;
  readonly #turn = () => this.#look();
  #isSpinning = false;
  #beganMs = 0;
  #lookedMs = 0;
  #restsUntilMs = 0;
  /** May be spent in vain, at `#countedMs`. */
  #savedMs = MOST_SAVED_MS;
  #countedMs = 0;

  constructor(deps: SpinDeps) {
    this.#deps = deps;
    this.#countedMs = deps.nowMs();
  }

  /** A small message was passed on. */
  note(): void {
    const nowMs = this.#deps.nowMs();
    this.#beganMs = nowMs;
    this.#lookedMs = nowMs;
    if (this.#isSpinning || nowMs < this.#restsUntilMs || this.#countSaved(nowMs) < SPIN_MS) return;
    this.#isSpinning = true;
    this.#deps.nextTurn(this.#turn);
  }

  #look(): void {
    const nowMs = this.#deps.nowMs();
    const isOver = nowMs - this.#beganMs >= SPIN_MS;
    if (nowMs - this.#lookedMs >= INTERRUPTED_MS) this.#restsUntilMs = nowMs + REST_MS;
    if (isOver) {
      this.#isSpinning = false;
      this.#savedMs = this.#countSaved(nowMs) - SPIN_MS;
    } else {
      this.#lookedMs = nowMs;
      this.#deps.nextTurn(this.#turn);
    }
  }

  #countSaved(nowMs: number): number {
    const earnedMs = (nowMs - this.#countedMs) * MOST_IN_VAIN;
    this.#countedMs = nowMs;
    this.#savedMs = Math.min(MOST_SAVED_MS, this.#savedMs + earnedMs);
    return this.#savedMs;
  }
}

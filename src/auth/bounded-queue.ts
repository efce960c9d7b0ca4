/**
 * Runs at most `atOnce` tasks at a time and lets at most `waiting` wait, `waitingOfOne` of one asker; more are
 * turned away. Without the last bound a single stranger with many connections would keep everybody out.
 */

export type QueueLimits = {
  readonly atOnce: number;
  readonly waiting: number;
  /** All of `waiting` where there is but one asker. */
  readonly waitingOfOne?: number;
};

export class BoundedQueue {
  readonly #limits: QueueLimits;
  readonly #waiting: { readonly asker: string; readonly start: () => void }[] = [];
  #running = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Returns undefined, without having run the task, when there is no room for it. */
  async run<T>(task: () => Promise<T>, asker = ""): Promise<T | undefined> {
    if (this.#running >= this.#limits.atOnce) {
      if (!this.#hasRoom(asker)) return undefined;
      // The one that ends hands its place over, so that nobody who comes between can take it.
      await new Promise<void>((start) => this.#waiting.push({ asker, start }));
    } else this.#running++;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next.start();
    }
  }

  #hasRoom(asker: string): boolean {
    const theirs = this.#waiting.filter((one) => one.asker === asker).length;
    const { waiting, waitingOfOne = waiting } = this.#limits;
    return this.#waiting.length < waiting && theirs < waitingOfOne;
  }
}

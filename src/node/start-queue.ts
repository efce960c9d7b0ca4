/**
 * Whose turn it is to start: at most so many desktops at a time, the others first come, first served. Starting
 * many at once makes each slower than one after the other.
 */

import type { VmId } from "../domain/ids.ts";

export class StartQueue {
  readonly #most: number;
  readonly #active = new Set<VmId>();
  readonly #waiting = new Set<VmId>();
  readonly #onTurn: (vmId: VmId) => void;

  /** `onTurn` is called for a desktop that waited and now has its turn. */
  constructor(most: number, onTurn: (vmId: VmId) => void) {
    this.#most = most;
    this.#onTurn = onTurn;
  }

  /** Takes a turn or a place; 0 when it has its turn, else its place in the queue. May be called again. */
  ask(vmId: VmId): number {
    if (this.#active.has(vmId)) return 0;
    if (this.#active.size < this.#most && this.#waiting.size === 0) {
      this.#active.add(vmId);
      return 0;
    }
    this.#waiting.add(vmId);
    return [...this.#waiting].indexOf(vmId) + 1;
  }

  /** Counts a desktop that already starts, as after a restart of the node, whatever the bound. */
  count(vmId: VmId): void {
    this.#waiting.delete(vmId);
    this.#active.add(vmId);
  }

  release(vmId: VmId): void {
    this.#waiting.delete(vmId);
    this.#active.delete(vmId);
    for (const next of this.#waiting) {
      if (this.#active.size >= this.#most) return;
      this.#waiting.delete(next);
      this.#active.add(next);
      this.#onTurn(next);
    }
  }
}

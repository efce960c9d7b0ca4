/**
 * Turns wakes ("something changed about desktop 7") into waits that end early. A wake only says "look";
 * every wait also ends by time, so that a lost one costs a poll and nothing else.
 */

import type { VmId } from "../domain/ids.ts";
import { sleep } from "../lib/wait.ts";

/** A subscription to one desktop. A wake that comes between two waits ends the second at once. */
export type Alarm = {
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
};

export class Wakes {
  readonly #alarms = new Map<VmId, Set<() => void>>();

  /** Wakes those who wait for this desktop; without one, all. */
  notify(vmId?: number): void {
    for (const [id, rings] of this.#alarms)
      if (vmId === undefined || id === vmId) for (const ring of rings) ring();
  }

  subscribe(vmId: VmId): Alarm {
    const rings = this.#alarms.get(vmId) ?? new Set();
    this.#alarms.set(vmId, rings);
    let rung = new AbortController();
    const ring = () => rung.abort();
    rings.add(ring);
    return {
      next: async (timeoutMs, signal) => {
        await sleep(timeoutMs, AbortSignal.any([rung.signal, signal]));
        rung = new AbortController();
      },
      close: () => {
        rings.delete(ring);
        if (rings.size === 0 && this.#alarms.get(vmId) === rings) this.#alarms.delete(vmId);
      },
    };
  }
}

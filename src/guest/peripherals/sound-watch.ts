/**
 * Looks whether the sound that was connected still is. A tunnel of PulseAudio's takes itself away when the client hasn't
 * answered for five seconds, as over a line that is lost for a while, and tells nobody: the session would go on without a
 * sound until its client comes anew. Works until it is stopped; what is done about a loss is the owner's.
 */

import { readFileSync } from "node:fs";
import type { Timers } from "../../lib/clock.ts";

export type SoundWatchDeps = {
  readonly timers: Timers;
  /** Connections to the client's sound that are open now. */
  readonly countTunnels: () => number;
  /** Called again at each look until all of them are there again. */
  readonly onLost: () => void;
};

/** The kernel's table is dear to read, some milliseconds where there is much memory. */
const LOOK_EVERY_MS = 15_000;

export class SoundWatch {
  readonly #deps: SoundWatchDeps;
  #end: (() => void) | undefined;

  constructor(deps: SoundWatchDeps) {
    this.#deps = deps;
  }

  /** `tunnels` are as many as there should be. */
  start(tunnels: number): void {
    this.stop();
    const { timers, countTunnels, onLost } = this.#deps;
    this.#end = timers.every(LOOK_EVERY_MS, () => {
      if (countTunnels() < tunnels) onLost();
    });
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }
}

/** Of this network, from one of its own sockets to that port on loopback. */
export function countTunnels(port: number, path = "/proc/net/tcp"): number {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync(path, "latin1").split("\n");
  return rows.filter((row) => {
    const [, , address, state] = row.trim().split(/\s+/);
    return address === remote && state === ESTABLISHED;
  }).length;
}

const ESTABLISHED = "01";

/** Looks into the desktops from outside while a run lasts, and keeps what their disks have acknowledged. */

import { readFileSync } from "node:fs";
import type { VmId } from "../../src/domain/ids.ts";
import type { ManyNodes } from "../support/many-nodes.ts";
import type { Witness } from "./check-beats.ts";

const LOOK_EVERY_MS = 200;

export class Witnesses {
  readonly #lab: ManyNodes;
  /** The latest sight of each life. */
  readonly #seen = new Map<VmId, Map<string, Witness>>();
  #lookedAtMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(lab: ManyNodes) {
    this.#lab = lab;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  of(vmId: VmId): readonly Witness[] {
    return [...(this.#seen.get(vmId)?.values() ?? [])];
  }

  look(): void {
    const nowMs = bootMs();
    for (const vmId of this.#lab.desktops) {
      const lives = this.#seen.get(vmId) ?? new Map<string, Witness>();
      this.#seen.set(vmId, lives);
      for (const { life, number } of this.#lab.listAcknowledged(vmId)) {
        const before = lives.get(life);
        if (before?.number === number) continue;
        // It was written since the last look. A life's first sight proves the line, and no moment.
        lives.set(life, { life, number, atMs: before === undefined ? undefined : this.#lookedAtMs });
      }
    }
    this.#lookedAtMs = nowMs;
  }
}

export function bootMs(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
}

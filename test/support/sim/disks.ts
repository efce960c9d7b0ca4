/** Disks of one simulated box: what is unpacked and mounted, and what goes wrong with it. By a hand-driven clock. */

import type { DiId, VmId } from "../../../src/domain/ids.ts";
import type { Timers } from "../../../src/lib/clock.ts";
import { AppError } from "../../../src/lib/errors.ts";
import type { LoopDeps } from "../../../src/node/deps.ts";

export type DiskFault = { times: number; readonly code: "image-broken" | "storage-full" | "driver-failed" };
export type DiskVerb = "unpack" | "mount" | "unmount";

type SimStorageVerbs = Pick<
  LoopDeps["storage"],
  | "ensureBase"
  | "hasBase"
  | "mountDesktop"
  | "prepareMachine"
  | "sweepMachine"
  | "unmountDesktop"
  | "listMounted"
  | "retireHome"
>;

const TEXTS: Readonly<Record<DiskFault["code"], string>> = {
  "image-broken": "the archive is broken",
  "storage-full": "no room is left on the disk",
  "driver-failed": "target is busy",
};

export class SimDisks {
  readonly bases = new Set<DiId>();
  readonly mounted = new Set<VmId>();
  readonly faults = new Map<DiskVerb, DiskFault>();
  /** As when the shared storage doesn't answer. */
  isCut = false;
  unpackMs = 3_000;
  mountMs = 50;
  readonly #timers: Timers;
  readonly #unpacking = new Map<DiId, Promise<void>>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  storage(): LoopDeps["storage"] {
    const storage: SimStorageVerbs = {
      ensureBase: async (diId, _archive, signal) => {
        this.#check("unpack");
        // As under the lock: whoever comes second waits, and tries for himself when the first one failed.
        while (this.#unpacking.has(diId)) await this.#unpacking.get(diId)?.catch(() => {});
        if (!this.bases.has(diId)) {
          const work = this.#pause(this.unpackMs, signal);
          this.#unpacking.set(diId, work);
          await work.finally(() => this.#unpacking.delete(diId));
          signal.throwIfAborted();
          this.bases.add(diId);
        }
        return `/bases/${diId}`;
      },
      hasBase: async (diId) => this.bases.has(diId),
      prepareMachine: ({ vmId }) => this.#mount(vmId),
      mountDesktop: async ({ vmId }) => {
        await this.#mount(vmId);
        return { rootFolder: `/vms/${vmId}/root`, homeFolder: `/vms/${vmId}/home` };
      },
      sweepMachine: async () => {},
      unmountDesktop: async (vmId) => {
        this.#check("unmount");
        this.mounted.delete(vmId);
      },
      listMounted: async (only) => {
        const asked = [...this.mounted].filter((vmId) => only?.includes(vmId) ?? true);
        return new Map(asked.map((vmId) => [vmId, { vmId, mounts: [], hasFolder: true }]));
      },
      retireHome: async (vmId) => `/homes/deleted-${vmId}`,
    };
    // The loop asks its storage for nothing else.
    return storage as LoopDeps["storage"];
  }

  async #mount(vmId: VmId): Promise<void> {
    // What is half made lies there already, to be cleaned up.
    this.mounted.add(vmId);
    this.#check("mount");
    await this.#pause(this.mountMs);
  }

  #check(verb: DiskVerb): void {
    if (this.isCut && verb !== "unmount")
      throw new AppError("unavailable", "the shared storage doesn't answer");
    const fault = this.faults.get(verb);
    if (fault === undefined || fault.times === 0) return;
    fault.times--;
    throw new AppError(fault.code, TEXTS[fault.code]);
  }

  #pause(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const callOff = this.#timers.after(ms, resolve);
      signal?.addEventListener(
        "abort",
        () => {
          callOff();
          resolve();
        },
        { once: true },
      );
    });
  }
}

/** The file systems of desktops on shared storage, as the fence freezes, thaws and drops them. */

import { readdir, readFile, readlink } from "node:fs/promises";
import type { Layout } from "../../domain/node/layout.ts";
import { AppError, describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { FREEZE_FLAG, FREEZER_DESCRIPTOR, type FreezeOutcome, freeze, thaw } from "../../storage/freeze.ts";
import type { Libc } from "../../storage/libc.ts";
import { listDiskMounts, listWritableMounts } from "../../storage/list-writable-mounts.ts";
import { type DiskMount, pinMount } from "../../storage/pin-mount.ts";
import { shutDown } from "../../storage/shut-down.ts";
import type { Storage } from "../../storage/storage.ts";
import type { FenceDisks } from "./fence.ts";

export type FenceDisksOptions = {
  readonly layout: Layout;
  /** Its `letGo` must say `dropped` where `drop` is called. */
  readonly storage: Pick<Storage, "listMounted" | "unmountDesktop">;
  readonly libc: Pick<Libc, "ioctl">;
  readonly log: Log;
};

/** Storage that doesn't answer must not keep the fence from its next step. */
const TIMEOUT_MS = 1_500;
const FREEZER_MS = 5_000;

export function createFenceDisks(options: FenceDisksOptions): FenceDisks {
  const { layout, storage, libc, log } = options;
  let freezing: Promise<boolean> = Promise.resolve(true);
  /** Since all were frozen, so that looking for new ones costs nothing but a look. */
  let frozen = new Set<string>();
  const tell = (event: string, outcomes: readonly FreezeOutcome[]) => {
    for (const { mountPoint, fault } of outcomes)
      if (fault !== undefined) log.warn(event, { mountPoint, reason: fault });
  };
  const freezeAll = async () => {
    const into = frozen;
    const disks = (await listWritableMounts(layout)).filter((disk) => !into.has(keyOf(disk)));
    const outcomes = await freeze(disks, { timeoutMs: TIMEOUT_MS });
    tell("disk-not-frozen", outcomes);
    for (const [index, disk] of disks.entries())
      if (outcomes[index]?.fault === undefined) into.add(keyOf(disk));
    return outcomes.every(({ fault }) => fault === undefined);
  };
  const thawAll = async () => {
    tell("disk-not-thawed", await thaw(await listDiskMounts(layout), { timeoutMs: TIMEOUT_MS }));
  };
  const shutDownAll = async () => {
    for (const disk of await listDiskMounts(layout))
      if (!shutDownNow(libc, disk)) log.warn("disk-not-shut-down", { mountPoint: disk.mountPoint });
  };
  return {
    freeze(which) {
      if (which === "all") frozen = new Set();
      const done = freezeAll();
      // Its failure is the caller's to hear; here only its end counts.
      freezing = done.catch(() => false);
      return done;
    },
    async thaw() {
      // Looked for first: one that ends in between is thawed.
      const isAlone = await endFreezers(await listDiskMounts(layout));
      await thawAll();
      return isAlone;
    },
    async shutDown() {
      await shutDownAll();
      await thawAll();
    },
    async drop() {
      await freezing;
      await shutDownAll();
      // One that hangs keeps its disk busy, and the disk can't be unmounted before it has ended.
      const disks = await listDiskMounts(layout);
      await waitFor(async () => await endFreezers(disks), { timeoutMs: FREEZER_MS });
      await thawAll();
      const faults: string[] = [];
      for (const vmId of (await storage.listMounted()).keys())
        await storage.unmountDesktop(vmId).catch((error) => faults.push(describeError(error)));
      if (faults.length > 0)
        throw new AppError("driver-failed", `dropping the disks of desktops: ${faults.join("; ")}`);
    },
  };
}

function keyOf({ device, mountPoint }: DiskMount): string {
  return `${device} ${mountPoint}`;
}

function shutDownNow(libc: Pick<Libc, "ioctl">, disk: DiskMount): boolean {
  try {
    const pinned = pinMount(disk);
    try {
      return shutDown(libc, pinned);
    } finally {
      pinned.release();
    }
  } catch {
    // It isn't mounted any more.
    return true;
  }
}

/** Kills the programs that are about to freeze one of them, whoever started them; true when there is none. */
export async function endFreezers(disks: readonly DiskMount[]): Promise<boolean> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const mountPoints = disks.map(({ mountPoint }) => mountPoint);
  const are = await Promise.all(pids.map((pid) => isFreezer(pid, mountPoints)));
  const freezers = pids.filter((_pid, index) => are[index]);
  for (const pid of freezers) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  return freezers.length === 0;
}

async function isFreezer(pid: number, mountPoints: readonly string[]): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  if (!words.includes(FREEZE_FLAG)) return false;
  // Reading the link asks nothing of the disk.
  const pinned = await readlink(`/proc/${pid}/fd/${FREEZER_DESCRIPTOR}`).catch(() => "");
  return mountPoints.includes(pinned);
}

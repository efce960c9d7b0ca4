/**
 * What a loss of power does to the disks of a played machine: nothing of what was dirty is written, and nothing
 * stays frozen. A machine's kernel goes with its power; that of a played one stays, and would keep whatever was
 * frozen, with its lock, for ever.
 */

import { readFile } from "node:fs/promises";
import { thawPinned } from "../../src/storage/freeze.ts";
import { openLibc } from "../../src/storage/libc.ts";
import { parseMountinfo } from "../../src/storage/mountinfo.ts";
import { type PinnedMount, pinMount } from "../../src/storage/pin-mount.ts";
import { shutDown } from "../../src/storage/shut-down.ts";

/** The file systems on loop devices below `folder`, as a process of the machine sees them. */
export async function pinDisks(pid: number, folder: string): Promise<readonly PinnedMount[]> {
  const mounts = parseMountinfo(await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => ""));
  const disks = mounts.filter(
    ({ mountPoint, source, fileSystem }) =>
      mountPoint.startsWith(`${folder}/`) && source.startsWith("/dev/loop") && fileSystem === "ext4",
  );
  return disks.flatMap(({ mountPoint, device }) => {
    try {
      return [pinMount({ mountPoint: `/proc/${pid}/root${mountPoint}`, device })];
    } catch {
      // It was unmounted meanwhile.
      return [];
    }
  });
}

/** Lets go of the disks too. */
export async function losePower(disks: readonly PinnedMount[]): Promise<void> {
  const libc = openLibc();
  for (const disk of disks) shutDown(libc, disk);
  for (const disk of disks) {
    await thawPinned(disk, { timeoutMs: 5_000 });
    disk.release();
  }
}

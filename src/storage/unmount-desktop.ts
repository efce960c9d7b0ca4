/**
 * Takes a desktop's disks apart, whatever state they are in. Only for a desktop that is proved dead: unmounting
 * succeeds under a living one too.
 */

import { readdir, readFile, rmdir } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { homeImage, keptFolder, type VmLayout, vmLayout } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import { deleteSubvolume, isSubvolume } from "./btrfs.ts";
import { isThere } from "./is-there.ts";
import { waitForDetached } from "./loop-device.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { removeTree } from "./remove-tree.ts";
import type { StorageContext } from "./storage.ts";

/** A container's end is seen some milliseconds before the kernel has let go of its mounts. */
const BUSY_TIMEOUT_MS = 5_000;

/** A program that a killed node had started may mount once more after we looked. */
const MOST_LATE_MOUNTS = 3;

/**
 * May be called at any time, and again. Keeps the home and whatever others keep in the desktop's folder. When it
 * returns, another box can open what the desktop keeps.
 */
export async function unmountDesktop(context: StorageContext, vmId: VmId): Promise<void> {
  const vm = vmLayout(context.layout, vmId);
  for (let tries = 1; ; tries++) {
    await takeApart(context, vm, vmId);
    try {
      // Never recursive: what was mounted here must not be deleted, even if all of the above lied.
      const kept = (await readdir(vm.kept).catch((): string[] => [])).map((name) => `${vm.kept}/${name}`);
      const disks = [vm.homeDisk, `${vm.homeDisk}-smaller`, vm.layerDisk];
      for (const folder of [vm.base, vm.root, vm.home, ...disks, ...kept, vm.kept, vm.folder])
        await removeEmptyFolder(folder);
      return;
    } catch (cause) {
      const isBusy = cause instanceof Error && "code" in cause && cause.code === "EBUSY";
      if (!isBusy || tries === MOST_LATE_MOUNTS) throw cause;
    }
  }
}

async function takeApart({ layout, libc }: StorageContext, vm: VmLayout, vmId: VmId): Promise<void> {
  const mounted = await mountsBelow(vm.folder);
  await unmountAll(vm.folder);
  const image = homeImage(layout, vmId);
  const hadDisk = mounted.some(
    (mountPoint) => mountPoint.startsWith(vm.homeDisk) || mountPoint === vm.layerDisk,
  );
  // An earlier try may have got no further than to here.
  if (hadDisk || (await isThere(image))) {
    const folders = [`${keptFolder(layout, vmId)}/`, `${vm.fresh}/`];
    const isOurs = (path: string) =>
      path === image || path === `${image}.moving` || folders.some((folder) => path.startsWith(folder));
    await waitForDetached(libc, { isFile: isOurs, folder: vm.folder, doing: `Unmounting desktop ${vmId}` });
  }
  for (const tree of [`${vm.fresh}/tree`, `${vm.fresh}/tree.new`])
    if (await isSubvolume(tree)) await deleteSubvolume(tree);
  for (const tree of [vm.upper, vm.work, vm.fresh]) await removeTree(tree);
}

/** Everything that is mounted at or below the folder. */
export async function unmountAll(folder: string): Promise<void> {
  let left = await mountsBelow(folder);
  for (let tries = 0; left.length > 0 && tries < MOST_LATE_MOUNTS; tries++) {
    for (const mountPoint of left.toReversed()) await unmount(mountPoint);
    left = await mountsBelow(folder);
  }
  if (left.length > 0)
    throw new AppError("driver-failed", `Unmounting ${folder}: ${left.join(", ")} is still mounted`);
}

/** Mount points at or below `folder`, in the order of mounting. */
export async function mountsBelow(folder: string): Promise<readonly string[]> {
  return parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"))
    .map((mount) => mount.mountPoint)
    .filter((mountPoint) => mountPoint === folder || mountPoint.startsWith(`${folder}/`));
}

async function unmount(mountPoint: string): Promise<void> {
  let said = "";
  const isDone = await waitFor(
    async () => {
      const result = await run(["/usr/bin/umount", "--no-canonicalize", "--", mountPoint], {
        timeoutMs: 10_000,
      });
      said = result.stderr.trim();
      return result.exitCode === 0 || /not mounted|no mount point/.test(said);
    },
    { timeoutMs: BUSY_TIMEOUT_MS, everyMs: 50 },
  );
  if (!isDone)
    throw new AppError("driver-failed", `Unmounting ${mountPoint}: ${said || "no answer in time"}`);
}

async function removeEmptyFolder(folder: string): Promise<void> {
  await rmdir(folder).catch((cause: NodeJS.ErrnoException) => {
    // Gone already, or the guest channel's folder is still in it: both are as it should be.
    if (cause.code !== "ENOENT" && cause.code !== "ENOTEMPTY") throw cause;
  });
}

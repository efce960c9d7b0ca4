/**
 * Takes a desktop's disks apart, whatever state they are in. Only for a desktop that is proved dead: unmounting
 * succeeds under a living one too.
 */

import { readFile, rmdir } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { vmLayout } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { removeTree } from "./remove-tree.ts";
import type { StorageContext } from "./storage.ts";

/** A container's end is seen some milliseconds before the kernel has let go of its mounts. */
const BUSY_TIMEOUT_MS = 5_000;

/** May be called at any time, and again. Keeps the home and whatever others keep in the desktop's folder. */
export async function unmountDesktop(context: StorageContext, vmId: VmId): Promise<void> {
  const vm = vmLayout(context.layout, vmId);
  for (const mountPoint of (await mountsBelow(vm.folder)).toReversed()) await unmount(mountPoint);
  const left = await mountsBelow(vm.folder);
  if (left.length > 0)
    throw new AppError("driver-failed", `Unmounting desktop ${vmId}: ${left.join(", ")} is still mounted`);
  await removeTree(vm.upper);
  await removeTree(vm.work);
  // Never recursive: what was mounted here must not be deleted, even if all of the above lied.
  for (const folder of [vm.base, vm.root, vm.home, vm.folder]) await removeEmptyFolder(folder);
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

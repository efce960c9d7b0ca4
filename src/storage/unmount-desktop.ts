/**
 * Takes a desktop's disks apart, whatever state they are in. Only for a desktop that is proved dead: unmounting
 * succeeds under a living one too.
 */

import { existsSync, rmdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { type VmLayout, vmLayout } from "../domain/node/layout.ts";
import { deleteSubvolume, isSubvolume } from "./btrfs.ts";
import { removeTree } from "./remove-tree.ts";
import type { StorageContext } from "./storage.ts";
import { MOST_LATE_MOUNTS, unmountAll } from "./unmount-all.ts";

/**
 * May be called at any time, and again. Keeps the home and whatever others keep in the desktop's folder. When it
 * returns, another box can open what the desktop keeps.
 */
export async function unmountDesktop(context: StorageContext, vmId: VmId): Promise<void> {
  const vm = vmLayout(context.layout, vmId);
  for (let tries = 1; ; tries++) {
    await takeApart(context, vm);
    try {
      // Never recursive: what was mounted here must not be deleted, even if all of the above lied.
      const names = existsSync(vm.kept) ? await readdir(vm.kept) : [];
      const kept = names.map((name) => `${vm.kept}/${name}`);
      const disks = [vm.homeDisk, `${vm.homeDisk}-smaller`, vm.layerDisk];
      // Before a start next to none of them is there, and a person waits: to look at once costs least.
      for (const folder of [vm.base, vm.root, vm.home, ...disks, ...kept, vm.kept, vm.folder])
        if (existsSync(folder)) removeEmptyFolder(folder);
      return;
    } catch (cause) {
      const isBusy = cause instanceof Error && "code" in cause && cause.code === "EBUSY";
      if (!isBusy || tries === MOST_LATE_MOUNTS) throw cause;
    }
  }
}

async function takeApart(context: StorageContext, vm: VmLayout): Promise<void> {
  await unmountAll(context, vm.folder);
  for (const tree of [`${vm.fresh}/tree`, `${vm.fresh}/tree.new`])
    if (existsSync(tree) && (await isSubvolume(tree))) await deleteSubvolume(tree);
  for (const tree of [vm.upper, vm.work, vm.fresh]) if (existsSync(tree)) await removeTree(tree);
}

function removeEmptyFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (cause) {
    const code = cause instanceof Error && Reflect.get(cause, "code");
    // Gone already, or the guest channel's folder is still in it: both are as it should be.
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw cause;
  }
}

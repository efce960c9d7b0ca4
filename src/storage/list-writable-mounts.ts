/** The file systems of desktops that lie on shared storage: what must fall silent before another box takes over. */

import { readFile } from "node:fs/promises";
import { parseId, type VmId } from "../domain/ids.ts";
import { type Layout, vmLayout } from "../domain/node/layout.ts";
import { parseMountinfo } from "./mountinfo.ts";
import type { DiskMount } from "./pin-mount.ts";

export type WritableMount = DiskMount & { readonly vmId: VmId };

/**
 * Of this box, in the order of mounting. Only images: a folder of the shared file system itself can't be
 * frozen, and isn't used where there is another box.
 */
export async function listWritableMounts(layout: Layout): Promise<readonly WritableMount[]> {
  const mounts = await listDiskMounts(layout);
  return mounts.flatMap(({ isWritable, ...mount }) => (isWritable ? [mount] : []));
}

/** Those too that the kernel stopped writing to. */
export async function listDiskMounts(
  layout: Layout,
): Promise<readonly (WritableMount & { readonly isWritable: boolean })[]> {
  const mounts = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  return mounts.flatMap(({ mountPoint, device, isWritable }) => {
    if (!mountPoint.startsWith(`${layout.vmsFolder}/`)) return [];
    const vmId = parseId<VmId>(mountPoint.slice(layout.vmsFolder.length + 1).split("/")[0] ?? "");
    if (vmId === undefined) return [];
    const { homeDisk, layerDisk } = vmLayout(layout, vmId);
    const isDisk = mountPoint === homeDisk || mountPoint === layerDisk;
    return isDisk ? [{ vmId, mountPoint, device, isWritable }] : [];
  });
}

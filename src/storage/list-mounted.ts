/** What of desktops lies about on this box: mounts and folders, running or left behind. */

import { readdir } from "node:fs/promises";
import { parseId, type VmId } from "../domain/ids.ts";
import { vmLayout } from "../domain/node/layout.ts";
import type { StorageContext } from "./storage.ts";
import { mountsBelow } from "./unmount-all.ts";

export type DesktopDisks = {
  readonly vmId: VmId;
  readonly mounts: readonly string[];
  /** True while the desktop's folder exists, which goes with the last unmount. */
  readonly hasFolder: boolean;
};

export async function listMounted(context: StorageContext): Promise<ReadonlyMap<VmId, DesktopDisks>> {
  const { layout } = context;
  const mounts = await mountsBelow(layout.vmsFolder);
  const folders = await readdir(layout.vmsFolder).catch((): string[] => []);
  const names = new Set(folders);
  for (const mount of mounts) names.add(mount.slice(layout.vmsFolder.length + 1).split("/")[0] ?? "");
  const disks = new Map<VmId, DesktopDisks>();
  for (const name of names) {
    const vmId = parseId<VmId>(name);
    if (vmId === undefined) continue;
    const { folder } = vmLayout(layout, vmId);
    disks.set(vmId, {
      vmId,
      mounts: mounts.filter((mount) => mount === folder || mount.startsWith(`${folder}/`)),
      hasFolder: folders.includes(name),
    });
  }
  return disks;
}

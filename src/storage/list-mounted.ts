/** What of desktops lies about on this box: mounts and folders, running or left behind. */

import { existsSync, readdirSync } from "node:fs";
import { parseId, type VmId } from "../domain/ids.ts";
import { vmLayout } from "../domain/node/layout.ts";
import { listMountsBelow } from "./mountinfo.ts";
import type { StorageContext } from "./storage.ts";

export type DesktopDisks = {
  readonly vmId: VmId;
  readonly mounts: readonly string[];
  /** True while the desktop's folder exists, which goes with the last unmount. */
  readonly hasFolder: boolean;
};

/** All at once, without threads: a person waits, and it is the box's own disk. Of `only` those desktops when given. */
export function listMounted(
  { layout }: Pick<StorageContext, "layout">,
  only?: readonly VmId[],
): ReadonlyMap<VmId, DesktopDisks> {
  const folders = only === undefined ? listFolders(layout.vmsFolder) : findFolders(layout, only);
  // Nothing is mounted in a folder that isn't there; and to list a box's mounts costs more than all the rest.
  if (only !== undefined && folders.length === 0) return new Map();
  const mounts = listMountsBelow(layout.vmsFolder).map(({ mountPoint }) => mountPoint);
  const names = new Set(folders);
  for (const mount of mounts) names.add(mount.slice(layout.vmsFolder.length + 1).split("/")[0] ?? "");
  const disks = new Map<VmId, DesktopDisks>();
  for (const name of names) {
    const vmId = parseId<VmId>(name);
    if (vmId === undefined || only?.includes(vmId) === false) continue;
    const { folder } = vmLayout(layout, vmId);
    disks.set(vmId, {
      vmId,
      mounts: mounts.filter((mount) => mount === folder || mount.startsWith(`${folder}/`)),
      hasFolder: folders.includes(name),
    });
  }
  return disks;
}

function listFolders(vmsFolder: string): readonly string[] {
  try {
    return readdirSync(vmsFolder);
  } catch {
    // No desktop was ever started here.
    return [];
  }
}

function findFolders(layout: StorageContext["layout"], only: readonly VmId[]): readonly string[] {
  return only.filter((vmId) => existsSync(vmLayout(layout, vmId).folder)).map(String);
}

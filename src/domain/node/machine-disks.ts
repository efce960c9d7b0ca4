/** Which files a virtual machine's disks are. Pure. */

import type { VmId } from "../ids.ts";
import type { Persistence } from "../image/persistence.ts";
import { keptFolder, type Layout, vmLayout } from "./layout.ts";

export type MachineKeeps = {
  readonly persistence: Persistence;
  readonly imagePath: string;
};

export type MachineDisks = {
  readonly systemDisk: string;
  /** What the system lies over; undefined where it is whole. */
  readonly imageDisk: string | undefined;
  readonly homeDisk: string | undefined;
};

/** Chosen folders of a machine can't be kept by themselves: nobody but its guest knows of folders. */
export function machineDisks(
  layout: Layout,
  vmId: VmId,
  { persistence, imagePath }: MachineKeeps,
): MachineDisks {
  const isKept = persistence === "everything";
  return {
    systemDisk: isKept ? `${keptFolder(layout, vmId)}/system.qcow2` : vmLayout(layout, vmId).systemDisk,
    imageDisk: isKept ? undefined : imagePath,
    // Not a container's home image: this one the host never mounts.
    homeDisk: persistence === "nothing" ? undefined : `${layout.homesFolder}/${vmId}.disk`,
  };
}

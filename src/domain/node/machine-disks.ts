/** Which files a virtual machine's disks are. Pure. */

import type { DiId, VmId } from "../ids.ts";
import type { Persistence } from "../image/persistence.ts";
import { keptFolder, type Layout, vmLayout } from "./layout.ts";

export type MachineKeeps = {
  readonly persistence: Persistence;
  readonly diId: DiId;
  readonly imagePath: string;
};

export type MachineDisks = {
  readonly systemDisk: string;
  /** What the system lies over; undefined where it is whole. */
  readonly imageDisk: string | undefined;
  readonly homeDisk: string | undefined;
};

/** A kept system is one of its image; under another it starts clean, as containers do. Chosen folders of a machine can't be kept by themselves: nobody but its guest knows of folders. */
export function machineDisks(
  layout: Layout,
  vmId: VmId,
  { persistence, diId, imagePath }: MachineKeeps,
): MachineDisks {
  const isKept = persistence === "everything";
  return {
    systemDisk: isKept
      ? `${keptFolder(layout, vmId)}/machine-${diId}.qcow2`
      : vmLayout(layout, vmId).systemDisk,
    imageDisk: isKept ? undefined : imagePath,
    // Not a container's home image: this one the host never mounts.
    homeDisk: persistence === "nothing" ? undefined : machineHome(layout, vmId),
  };
}

/** The person's own disk. */
export function machineHome(layout: Layout, vmId: VmId): string {
  return `${layout.homesFolder}/${vmId}.disk`;
}

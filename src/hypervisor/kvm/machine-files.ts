/** Where the sockets of a machine's QEMU lie, and the log of its start. */

import { chmod, chown, mkdir, rm } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { type Layout, vmLayout } from "../../domain/node/layout.ts";

export type MachineFiles = {
  /** The QEMU's own folder: nobody else but root may enter. */
  readonly folder: string;
  /** Locked by the QEMU while it lives, so that a second one of the same desktop can't start. */
  readonly pid: string;
  /** QEMU's control socket of the node; it serves one visitor at a time. */
  readonly control: string;
  /** The same, for a person who looks into a running machine. */
  readonly spareControl: string;
  /** The screen, as VNC. */
  readonly screen: string;
  /** What QEMU said when its start failed; kept until the next start, for people. */
  readonly log: string;
};

export function machineFiles(layout: Layout, vmId: VmId): MachineFiles {
  const { machineFolder: folder, screenSocket: screen } = vmLayout(layout, vmId);
  return {
    folder,
    pid: `${folder}/pid`,
    control: `${folder}/qmp`,
    spareControl: `${folder}/qmp2`,
    screen,
    log: `${layout.logsFolder}/vm-${vmId}-qemu.log`,
  };
}

/** Anew, so that no socket of an earlier life is taken for one of this. */
export async function makeFiles(files: MachineFiles, uid: number): Promise<void> {
  await removeFiles(files);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  await chmod(files.folder, 0o700);
  await chown(files.folder, uid, uid);
}

export async function removeFiles(files: MachineFiles): Promise<void> {
  await rm(files.folder, { recursive: true, force: true });
}

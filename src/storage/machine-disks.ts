/**
 * The disks of a virtual machine: its system, fresh over the image at each start or kept for good, and the
 * person's own. The host never looks into either: a guest writes them as it likes, and no kernel should mount
 * what a stranger wrote. Who opens them is the hypervisor's driver.
 */

import { chmod, chown, mkdir, open, rename, stat, truncate } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { DISK_HEADER_BYTES, type DiskHeader, parseDiskHeader } from "../domain/image/disk-header.ts";
import { idRangeOf } from "../domain/node/id-range.ts";
import { type Layout, vmLayout } from "../domain/node/layout.ts";
import {
  type MachineDisks,
  type MachineKeeps,
  machineDisks,
  machineHome,
} from "../domain/node/machine-disks.ts";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { isFullDisk } from "./broken-image.ts";
import { freeBytes } from "./free-bytes.ts";
import { ensureKeptMachine } from "./kept-machine.ts";
import type { StorageContext } from "./storage.ts";
import { unmountDesktop } from "./unmount-desktop.ts";

export type MachineRequest = MachineKeeps & {
  readonly vmId: VmId;
  readonly slot: number;
  /** Most that the person's disk may hold. */
  readonly homeMb?: number | undefined;
};

/** Of a disk without a limit of its own: only what was written takes room. */
const UNLIMITED_HOME_MB = 32 * 1_024;
const LEAST_FREE_BYTES = 256 * 2 ** 20;
const MB = 2 ** 20;

/** For a machine that is not running: what lasted only for an earlier life is thrown away first. `storage-full`, `image-broken`. */
export async function prepareMachine(
  context: StorageContext,
  request: MachineRequest,
): Promise<MachineDisks> {
  const { layout } = context;
  await unmountDesktop(context, request.vmId);
  await mkdir(layout.vmsFolder, { recursive: true });
  await checkRoom(context, request.vmId);
  const disks = machineDisks(layout, request.vmId, request);
  try {
    await makeDisks(context, disks, request);
  } catch (cause) {
    const isTold = cause instanceof AppError && cause.code === "storage-full";
    if (isTold || !(cause instanceof Error && isFullDisk(cause.message))) throw cause;
    throw full(request.vmId, layout.stateFolder, cause);
  }
  return disks;
}

/** Puts the person's disk of a deleted desktop aside; undefined when there is none. */
export async function retireMachineHome(
  { layout }: StorageContext,
  vmId: VmId,
  now: Date,
): Promise<string | undefined> {
  const homeDisk = machineHome(layout, vmId);
  const stamp = now.toISOString().replace(/[-:]/g, "").replace(/\..*/, "Z");
  const aside = `${layout.homesFolder}/deleted-${vmId}-${stamp}.disk`;
  try {
    await rename(homeDisk, aside);
    return aside;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}

async function makeDisks(
  context: StorageContext,
  disks: MachineDisks,
  request: MachineRequest,
): Promise<void> {
  const { systemDisk, imageDisk, homeDisk } = disks;
  await makeFolders(context, request);
  const header = await readHeader(request);
  if (imageDisk === undefined)
    await ensureKeptMachine(context, { ...request, format: header.format, systemDisk });
  else await makeOverlay(systemDisk, { request, header });
  if (homeDisk !== undefined) await ensureHomeDisk(context.layout, homeDisk, request);
}

async function checkRoom({ layout, reserveBytes }: StorageContext, vmId: VmId): Promise<void> {
  const least = Math.min(LEAST_FREE_BYTES, reserveBytes);
  for (const folder of [layout.vmsFolder, layout.sharedFolder])
    if ((await freeBytes(folder)) < least) throw full(vmId, folder);
}

async function makeFolders({ layout, idRangeFirst }: StorageContext, request: MachineRequest): Promise<void> {
  const { first } = idRangeOf(idRangeFirst, request.slot);
  const vm = vmLayout(layout, request.vmId);
  // Its QEMU must pass through to its sockets; other accounts of the host need not.
  await chmod(layout.vmsFolder, 0o711);
  await mkdir(vm.folder, { recursive: true });
  await chown(vm.folder, 0, first);
  await chmod(vm.folder, 0o710);
  await mkdir(vm.fresh, { recursive: true, mode: 0o700 });
}

type GoodHeader = Extract<DiskHeader, { isGood: true }>;
type SystemSource = { readonly request: MachineRequest; readonly header: GoodHeader };

/** It passed its checks when it was enrolled; the file may be another by now. */
async function readHeader({ imagePath, vmId }: MachineRequest): Promise<GoodHeader> {
  const file = await open(imagePath, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(DISK_HEADER_BYTES), 0, DISK_HEADER_BYTES, 0);
    const header = parseDiskHeader(buffer.subarray(0, bytesRead), (await file.stat()).size);
    if (header.isGood) return header;
    throw new AppError(
      "image-broken",
      `Making the disks of desktop ${vmId}: the image ${imagePath} can't be used: ${header.reason}`,
    );
  } finally {
    await file.close();
  }
}

/** Its header names no image: that is said when it is opened, and nobody has to trust what the file says later. */
async function makeOverlay(path: string, { request, header }: SystemSource): Promise<void> {
  const bytes = header.virtualBytes ?? (await stat(request.imagePath)).size;
  await runOk(`Making the system disk of desktop ${request.vmId}`, [
    ...["/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", path, `${bytes}`],
  ]);
}

/** Blank: the agent makes a file system on it when it finds none. It grows with its limit and never shrinks. */
async function ensureHomeDisk(layout: Layout, path: string, { homeMb }: MachineRequest): Promise<void> {
  await mkdir(layout.homesFolder, { recursive: true, mode: 0o700 });
  const wantedBytes = (homeMb ?? UNLIMITED_HOME_MB) * MB;
  const file = await open(path, "a", 0o600);
  await file.close();
  if ((await stat(path)).size < wantedBytes) await truncate(path, wantedBytes);
}

function full(vmId: VmId, folder: string, cause?: unknown): AppError {
  const text = `Making the disks of desktop ${vmId}: the disk of ${folder} is full. Make room there: a machine whose disk can't grow stands still.`;
  return new AppError("storage-full", text, { cause });
}

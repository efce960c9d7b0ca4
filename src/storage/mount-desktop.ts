/**
 * Puts a desktop's disks together: the shared base (read-only, id-mapped) below an empty writable layer, and
 * its home. The writable layer lives from start to stop; the home for good.
 */

import { chmod, chown, mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { DiId, VmId } from "../domain/ids.ts";
import type { Persistence } from "../domain/image/persistence.ts";
import { idRangeOf } from "../domain/node/id-range.ts";
import { baseFolder, homeFolder, type VmLayout, vmLayout } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { bindIdMapped } from "./bind-id-mapped.ts";
import { isFullDisk } from "./broken-image.ts";
import { freeBytes } from "./free-bytes.ts";
import { parseMountinfo } from "./mountinfo.ts";
import type { StorageContext } from "./storage.ts";
import { unmountDesktop } from "./unmount-desktop.ts";
import { withUserNamespace } from "./user-namespace.ts";

export type MountRequest = {
  readonly vmId: VmId;
  readonly diId: DiId;
  readonly slot: number;
  /** What outlives the stop; only the home when left out. */
  readonly persistence?: Persistence;
  /** Absolute paths inside the desktop, with persistence `folders`. */
  readonly keptFolders?: readonly string[];
  /** Most that home and system may hold; no limit of their own when left out. */
  readonly homeMb?: number | undefined;
  readonly systemMb?: number | undefined;
};

export type MountedDesktop = { readonly rootFolder: string; readonly homeFolder: string };

/** A desktop that writes to a full disk breaks in ways that nobody understands; better not to start it. */
const LEAST_FREE_BYTES = 64 * 2 ** 20;

/** Starts from nothing: takes apart what an earlier life left. The base must be there (`ensureBase`). */
export async function mountDesktop(context: StorageContext, request: MountRequest): Promise<MountedDesktop> {
  const vm = vmLayout(context.layout, request.vmId);
  const folders = makeRoom(context, vm, request);
  // Whoever waits for them sees their failure; nobody may yet when it comes.
  folders.catch(() => {});
  try {
    await mountAll(context, vm, { ...request, folders });
    await checkWritable([vm.root, vm.home]);
  } catch (cause) {
    // What is made after all must not come after what takes it away.
    await folders.catch(() => {});
    await unmountDesktop(context, request.vmId);
    throw cause instanceof Error && isFullDisk(cause.message) ? full(request.vmId, cause) : cause;
  }
  return { rootFolder: vm.root, homeFolder: vm.home };
}

async function makeRoom(context: StorageContext, vm: VmLayout, request: MountRequest): Promise<void> {
  const { vmsFolder } = context.layout;
  await unmountDesktop(context, request.vmId);
  await mkdir(vmsFolder, { recursive: true });
  if ((await freeBytes(vmsFolder)) < Math.min(LEAST_FREE_BYTES, context.reserveBytes))
    throw full(request.vmId);
  await makeFolders(context, vm, request);
  await checkPassable(vmsFolder);
}

async function makeFolders(context: StorageContext, vm: VmLayout, request: MountRequest): Promise<void> {
  const { layout } = context;
  const range = idRangeOf(context.idRangeFirst, request.slot);
  // The container's first process must pass through, as root of its range; other accounts of the host must
  // not, or they could run the image's setuid programs. The explicit modes defy a strict umask.
  await chmod(layout.vmsFolder, 0o711);
  await mkdir(vm.folder, { recursive: true });
  await chown(vm.folder, 0, range.first);
  await chmod(vm.folder, 0o710);
  for (const folder of [vm.upper, vm.work]) {
    await mkdir(folder, { mode: 0o755 });
    await chown(folder, range.first, range.first);
  }
  // The upper layer's own mode is what the desktop sees at "/".
  await chmod(vm.upper, 0o755);
  for (const folder of [vm.base, vm.root, vm.home]) await mkdir(folder, { recursive: true, mode: 0o755 });
  await mkdir(layout.homesFolder, { recursive: true, mode: 0o700 });
  await mkdir(homeFolder(layout, request.vmId), { recursive: true, mode: 0o755 });
}

/** The namespace is made while the folders are: a person waits for both. */
async function mountAll(
  context: StorageContext,
  vm: VmLayout,
  request: MountRequest & { readonly folders: Promise<void> },
): Promise<void> {
  const { layout, libc } = context;
  const source = baseFolder(layout, request.diId);
  await withUserNamespace(idRangeOf(context.idRangeFirst, request.slot), async (namespace) => {
    await request.folders;
    const base = await stat(source).catch(() => undefined);
    if (base === undefined)
      throw new AppError(
        "not-found",
        `Mounting desktop ${request.vmId}: its image is not unpacked at ${source}`,
      );
    bindIdMapped(libc, namespace, { source, target: vm.base, isReadOnly: true });
    const home = homeFolder(layout, request.vmId);
    bindIdMapped(libc, namespace, { source: home, target: vm.home, isReadOnly: false });
  });
  const [lower, upper, work] = [vm.base, vm.upper, vm.work].map(escapeOption);
  // volatile: nothing waits for the disk, since the upper layer is thrown away at the next start anyway.
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},nodev,volatile`;
  await runOk(`Mounting the root of desktop ${request.vmId}`, [
    ...[
      "/usr/bin/mount",
      "--no-canonicalize",
      "-t",
      "overlay",
      "-o",
      options,
      `qvd-${request.vmId}`,
      vm.root,
    ],
  ]);
}

/** A container is put together by a process that is root only in its range: on the host it is anybody. */
async function checkPassable(folder: string): Promise<void> {
  for (let path = folder; path !== "/"; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o001) === 0)
      throw new AppError(
        "driver-failed",
        `Mounting a desktop: ${path} must be passable for everybody, and isn't. Run: chmod o+x ${path}`,
      );
  }
}

/** Overlay mounts that can't write say nothing: they become read-only, and the desktop fails much later. */
async function checkWritable(mountPoints: readonly string[]): Promise<void> {
  const mounts = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  for (const mountPoint of mountPoints) {
    const mount = mounts.findLast((candidate) => candidate.mountPoint === mountPoint);
    if (mount?.isWritable !== true)
      throw new AppError(
        "driver-failed",
        `Mounting ${mountPoint}: it came up read-only. Is its disk full, over quota or itself read-only?`,
      );
  }
}

/** In mount options a comma ends an option and a colon a layer. */
function escapeOption(path: string): string {
  return path.replace(/[\\,:]/g, "\\$&");
}

function full(vmId: VmId, cause?: unknown): AppError {
  const text = `Mounting desktop ${vmId}: the disk of the state folder is full. Make room there, or move QVD_STATE to a larger disk.`;
  return new AppError("storage-full", text, { cause });
}

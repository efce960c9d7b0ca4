/**
 * Puts a desktop's disks together: its writable system over the shared base, its home, and the folders of the
 * system that it keeps, each as its id range sees them. What outlives the stop is the OSF's promise.
 */

import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { DiId, VmId } from "../domain/ids.ts";
import { listKeptBinds } from "../domain/image/kept-folder.ts";
import type { Persistence } from "../domain/image/persistence.ts";
import { type IdRange, idRangeOf } from "../domain/node/id-range.ts";
import { baseFolder, homeImage, isShared, type VmLayout, vmLayout } from "../domain/node/layout.ts";
import { type DesktopDiskPlan, planDisks } from "../domain/node/plan-disks.ts";
import { AppError } from "../lib/errors.ts";
import { bindIdMapped } from "./bind-id-mapped.ts";
import { isFullDisk } from "./broken-image.ts";
import { freeBytes } from "./free-bytes.ts";
import type { IdMap } from "./id-maps.ts";
import { readImageMb } from "./image-file.ts";
import { isThere } from "./is-there.ts";
import { type HomeSources, prepareHome } from "./mount-home.ts";
import { mountOverlay } from "./mount-overlay.ts";
import { listMountsBelow } from "./mountinfo.ts";
import { keptSystem, missingBase, prepareSystem, type SystemPlace } from "./prepare-system.ts";
import type { StorageContext } from "./storage.ts";
import { unmountDesktop } from "./unmount-desktop.ts";

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

export type MountedDesktop = {
  readonly rootFolder: string;
  readonly homeFolder: string;
  /** Of a home that is larger than its limit, since it could not be made smaller. */
  readonly homeOverMb?: number;
};

/** A desktop that writes to a full disk breaks in ways that nobody understands; better not to start it. */
const LEAST_FREE_BYTES = 64 * 2 ** 20;

type Prepared = { readonly home: HomeSources; readonly system: SystemPlace };

/**
 * What lasted only for an earlier life is thrown away first. The base must be there (`ensureBase`). `conflict`
 * while another box has the home, `storage-full` where there is no room.
 */
export async function mountDesktop(context: StorageContext, request: MountRequest): Promise<MountedDesktop> {
  const vm = vmLayout(context.layout, request.vmId);
  const disks = prepare(context, vm, request);
  // Whoever waits for them sees their failure; nobody may yet when it comes.
  disks.catch(() => {});
  try {
    const mountPoints = await mountAll(context, vm, { ...request, disks });
    checkWritable(vm.folder, mountPoints);
  } catch (cause) {
    // What is made after all must not come after what takes it away.
    await disks.catch(() => {});
    await unmountDesktop(context, request.vmId);
    const isTold = cause instanceof AppError && cause.code === "storage-full";
    throw !isTold && cause instanceof Error && isFullDisk(cause.message) ? full(request.vmId, cause) : cause;
  }
  const homeOverMb = await readOverMb(context, request);
  const mounted = { rootFolder: vm.root, homeFolder: vm.home };
  return homeOverMb === undefined ? mounted : { ...mounted, homeOverMb };
}

async function readOverMb({ layout }: StorageContext, request: MountRequest): Promise<number | undefined> {
  const image = homeImage(layout, request.vmId);
  const isKept = request.persistence !== "nothing" && (await isThere(image));
  if (!isKept || request.homeMb === undefined) return undefined;
  const sizeMb = readImageMb(image);
  return sizeMb > request.homeMb ? sizeMb : undefined;
}

async function prepare(context: StorageContext, vm: VmLayout, request: MountRequest): Promise<Prepared> {
  const { layout } = context;
  const { vmId, diId } = request;
  await unmountDesktop(context, vmId);
  mkdirSync(layout.vmsFolder, { recursive: true });
  await checkRoom(context, vmId);
  const range = idRangeOf(context.idRangeFirst, request.slot);
  makeFolders(context, vm, range);
  checkPassable(layout.vmsFolder);
  const plan = await planFor(context, request);
  if (needsFresh(plan, context.driver)) mkdirSync(vm.fresh, { recursive: true, mode: 0o700 });
  const base = baseFolder(layout, diId);
  const home = await prepareHome(context, { vmId, vm, base, plan: plan.home, binds: bindsOf(request) });
  const system = await prepareSystem(context, { vmId, diId, vm, base, range, plan: plan.system });
  return { home, system };
}

async function checkRoom({ layout, reserveBytes }: StorageContext, vmId: VmId): Promise<void> {
  const least = Math.min(LEAST_FREE_BYTES, reserveBytes);
  if ((await freeBytes(layout.vmsFolder)) < least) throw full(vmId);
  if (isShared(layout) && (await freeBytes(layout.sharedFolder)) < least)
    throw new AppError(
      "storage-full",
      `Mounting desktop ${vmId}: the shared storage is full. Make room below ${layout.sharedFolder}.`,
    );
}

/** At once, as all that is done to the box's own disk while a person waits. */
function makeFolders(context: StorageContext, vm: VmLayout, range: IdRange): void {
  // The container's first process must pass through, as root of its range; other accounts of the host must
  // not, or they could run the image's setuid programs. The explicit modes defy a strict umask.
  chmodSync(context.layout.vmsFolder, 0o711);
  mkdirSync(vm.folder, { recursive: true });
  chownSync(vm.folder, 0, range.first);
  chmodSync(vm.folder, 0o710);
  for (const folder of [vm.base, vm.root, vm.home]) mkdirSync(folder, { recursive: true, mode: 0o755 });
}

async function planFor({ layout }: StorageContext, request: MountRequest): Promise<DesktopDiskPlan> {
  const { vmId, diId, persistence = "home" } = request;
  const system = keptSystem(layout, vmId, diId);
  return planDisks({
    persistence,
    homeMb: request.homeMb,
    systemMb: request.systemMb,
    isShared: isShared(layout),
    home: { hasImage: await isThere(homeImage(layout, vmId)) },
    system: { hasImage: await isThere(`${system}.img`) },
  });
}

/** What is made anew at each start, besides a layer over the base. */
function needsFresh({ home, system }: DesktopDiskPlan, driver: StorageContext["driver"]): boolean {
  return home.kind.startsWith("fresh") || system.kind === "fresh-image" || driver !== "overlay";
}

function bindsOf({ persistence, keptFolders = [] }: MountRequest) {
  return persistence === "folders" ? listKeptBinds(keptFolders) : [];
}

/** Returns the mount points that must be writable. The namespace is made while the disks are: a person waits for both. */
async function mountAll(
  context: StorageContext,
  vm: VmLayout,
  request: MountRequest & { readonly disks: Promise<Prepared> },
): Promise<readonly string[]> {
  const { libc, idMaps } = context;
  const range = idRangeOf(context.idRangeFirst, request.slot);
  const mountPoints = [vm.root, vm.home];
  const system = await idMaps.use(range, async (namespace) => {
    const { home, system: place } = await request.disks;
    bindIdMapped(libc, namespace, { source: home.home, target: vm.home, isReadOnly: false });
    for (const [name, source] of home.kept) {
      const target = `${vm.kept}/${name}`;
      await mkdir(target, { recursive: true, mode: 0o755 });
      bindIdMapped(libc, namespace, { source, target, isReadOnly: false });
      mountPoints.push(target);
    }
    if (place.style === "overlay") await bindBase(context, namespace, request);
    else
      bindIdMapped(libc, namespace, {
        source: place.tree,
        target: vm.root,
        isReadOnly: false,
        allowsSetuid: true,
      });
    return place;
  });
  if (system.style === "overlay")
    mountOverlay(libc, { vmId: request.vmId, lower: vm.base, root: vm.root, ...system });
  return mountPoints;
}

async function bindBase(
  { layout, libc }: StorageContext,
  namespace: IdMap,
  { vmId, diId }: MountRequest,
): Promise<void> {
  const source = baseFolder(layout, diId);
  if ((await stat(source).catch(() => undefined)) === undefined) throw missingBase(vmId, source);
  bindIdMapped(libc, namespace, { source, target: vmLayout(layout, vmId).base, isReadOnly: true });
}

/** A container is put together by a process that is root only in its range: on the host it is anybody. */
function checkPassable(folder: string): void {
  for (let path = folder; path !== "/"; path = dirname(path)) {
    const { mode } = statSync(path);
    if ((mode & 0o001) === 0)
      throw new AppError(
        "driver-failed",
        `Mounting a desktop: ${path} must be passable for everybody, and isn't. Run: chmod o+x ${path}`,
      );
  }
}

/** Overlay mounts that can't write say nothing: they become read-only, and the desktop fails much later. */
function checkWritable(folder: string, mountPoints: readonly string[]): void {
  const mounts = listMountsBelow(folder);
  for (const mountPoint of mountPoints) {
    const mount = mounts.findLast((candidate) => candidate.mountPoint === mountPoint);
    if (mount?.isWritable !== true)
      throw new AppError(
        "driver-failed",
        `Mounting ${mountPoint}: it came up read-only. Is its disk full, over quota or itself read-only?`,
      );
  }
}

function full(vmId: VmId, cause?: unknown): AppError {
  const text = `Mounting desktop ${vmId}: the disk of the state folder is full. Make room there, or move QVD_STATE to a larger disk.`;
  return new AppError("storage-full", text, { cause });
}

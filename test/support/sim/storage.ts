/** Disks of desktops that are plain folders: everything of the storage's contract that the loop relies on. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { asId, type DiId, type VmId } from "../../../src/domain/ids.ts";
import { listKeptBinds } from "../../../src/domain/image/kept-folder.ts";
import {
  baseFolder,
  homeFolder,
  keptFolder,
  type Layout,
  vmLayout,
} from "../../../src/domain/node/layout.ts";
import { machineDisks } from "../../../src/domain/node/machine-disks.ts";
import { AppError } from "../../../src/lib/errors.ts";
import { sleep } from "../../../src/lib/wait.ts";
import type { MountedDesktop, MountRequest } from "../../../src/storage/mount-desktop.ts";
import type { Storage } from "../../../src/storage/storage.ts";

export type SimStorage = Storage & {
  /** Makes the next so many unpackings fail. */
  failUnpacking(times: number, text: string, code?: "image-broken" | "storage-full"): void;
  /** Makes every unpacking take so long. */
  slowUnpacking(ms: number): void;
  /** The most images that were being unpacked at one time, and how often one was begun. */
  readonly unpackings: { readonly most: number; readonly begun: number };
  /** Makes every look at the disks take so long. */
  slowLooks(ms: number): void;
  /** Makes the next so many mountings fail. */
  failMounting(times: number, fault: AppError): void;
  /** Makes every home larger than its limit. */
  fillHomes(homeOverMb: number): void;
  /** Makes the next so many clean-ups fail. */
  failUnmounting(times: number): void;
};

export function createSimStorage(layout: Layout): SimStorage {
  let unpackFailures = 0;
  let unpackFault = new AppError("image-broken", "");
  let unpackMs = 0;
  const unpackings = { most: 0, begun: 0 };
  const atWork = new Map<DiId, Promise<void>>();
  const unpack = async (diId: DiId, signal: AbortSignal) => {
    unpackings.begun++;
    unpackings.most = Math.max(unpackings.most, atWork.size + 1);
    if (unpackFailures > 0) {
      unpackFailures--;
      throw unpackFault;
    }
    await sleep(unpackMs, signal);
    signal.throwIfAborted();
    mkdirSync(baseFolder(layout, diId), { recursive: true });
  };
  const mountFaults: AppError[] = [];
  let unmountFailures = 0;
  let lookMs = 0;
  let homeOverMb: number | undefined;
  for (const folder of [layout.vmsFolder, layout.basesFolder, layout.homesFolder])
    mkdirSync(folder, { recursive: true });
  return {
    failUnpacking: (times, text, code = "image-broken") => {
      unpackFailures = times;
      unpackFault = new AppError(code, text);
    },
    slowUnpacking: (ms) => {
      unpackMs = ms;
    },
    unpackings,
    slowLooks: (ms) => {
      lookMs = ms;
    },
    failMounting: (times, fault) => void mountFaults.push(...Array.from({ length: times }, () => fault)),
    fillHomes: (mb) => {
      homeOverMb = mb;
    },
    failUnmounting: (times) => {
      unmountFailures = times;
    },
    verifyArchive: async () => ({ format: "tar", sizeBytes: 1, sha256: "0".repeat(64), unpackedBytes: 1 }),
    verifyDisk: async () => ({ format: "qcow2", sizeBytes: 1, sha256: "0".repeat(64), virtualBytes: 1 }),
    fetchImage: async () => ({ sizeBytes: 1 }),
    tryImageLock: async (_diId, use) => ({ value: await use() }),
    ensureBase: async (diId, _archivePath, signal) => {
      // As under the lock: whoever comes second waits, and tries for himself when the first one failed.
      while (atWork.has(diId)) await atWork.get(diId)?.catch(() => {});
      if (existsSync(baseFolder(layout, diId))) return baseFolder(layout, diId);
      const work = unpack(diId, signal);
      atWork.set(diId, work);
      await work.finally(() => atWork.delete(diId));
      return baseFolder(layout, diId);
    },
    hasBase: async (diId: DiId) => existsSync(baseFolder(layout, diId)),
    listBases: async () =>
      readdirSync(layout.basesFolder).map((name) => ({
        diId: asId<DiId>(Number(name)),
        changedAt: statSync(`${layout.basesFolder}/${name}`).ctime,
      })),
    removeBase: async (diId) => rmSync(baseFolder(layout, diId), { recursive: true, force: true }),
    mountDesktop: async (request) => {
      const fault = mountFaults.shift();
      if (fault !== undefined) throw fault;
      const mounted = simMount(layout, request);
      return homeOverMb === undefined ? mounted : { ...mounted, homeOverMb };
    },
    prepareMachine: async (request) => {
      mkdirSync(vmLayout(layout, request.vmId).fresh, { recursive: true });
      const { systemDisk } = machineDisks(layout, request.vmId, request);
      mkdirSync(dirname(systemDisk), { recursive: true });
      writeFileSync(systemDisk, "");
    },
    sweepMachine: async () => {},
    unmountDesktop: async (vmId) => {
      if (unmountFailures > 0) {
        unmountFailures--;
        throw new AppError("driver-failed", `unmounting desktop ${vmId}: target is busy`);
      }
      rmSync(vmLayout(layout, vmId).folder, { recursive: true, force: true });
    },
    listMounted: async (only) => {
      await Bun.sleep(lookMs);
      const there = readdirSync(layout.vmsFolder).map((name) => asId<VmId>(Number(name)));
      const asked = there.filter((vmId) => only?.includes(vmId) ?? true);
      return new Map(asked.map((vmId) => [vmId, { vmId, mounts: [], hasFolder: true }]));
    },
    retireHome: async (vmId, now) => simRetire(layout, vmId, now),
    freeBytes: async () => 2 ** 36,
    readUse: async () => ({ sharedFreeMb: undefined, homes: [], halted: [] }),
  };
}

/** Promises are kept as on a real disk, by copies; limits aren't, which take a kernel. */
function simMount(layout: Layout, request: MountRequest): MountedDesktop {
  const { vmId, diId, persistence = "home", keptFolders = [] } = request;
  const vm = vmLayout(layout, vmId);
  rmSync(vm.folder, { recursive: true, force: true });
  const kept = keptFolder(layout, vmId);
  const base = baseFolder(layout, diId);
  const link = (source: string, place: string) => {
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(source, place);
  };
  if (persistence === "everything") {
    const system = `${kept}/system-${diId}`;
    if (!existsSync(system)) cpSync(base, system, { recursive: true });
    rmSync(`${system}/run`, { recursive: true, force: true });
    if (existsSync(`${base}/run`)) cpSync(`${base}/run`, `${system}/run`, { recursive: true });
    link(system, vm.root);
  } else if (existsSync(base)) cpSync(base, vm.root, { recursive: true });
  else mkdirSync(vm.root, { recursive: true });
  if (persistence === "nothing") mkdirSync(vm.home);
  else {
    mkdirSync(homeFolder(layout, vmId), { recursive: true });
    link(homeFolder(layout, vmId), vm.home);
  }
  for (const { path, name } of persistence === "folders" ? listKeptBinds(keptFolders) : []) {
    const folder = `${kept}/folders/${name}`;
    if (!existsSync(folder) && existsSync(base + path)) cpSync(base + path, folder, { recursive: true });
    else mkdirSync(folder, { recursive: true });
    link(folder, `${vm.kept}/${name}`);
  }
  return { rootFolder: vm.root, homeFolder: vm.home };
}

function simRetire(layout: Layout, vmId: VmId, now: Date): string | undefined {
  if (existsSync(vmLayout(layout, vmId).root))
    throw new AppError("conflict", `putting the home of desktop ${vmId} aside: it is still mounted`);
  const asides = [homeFolder(layout, vmId), keptFolder(layout, vmId)].filter(existsSync).map((path) => {
    const aside = `${dirname(path)}/deleted-${vmId}-${now.getTime()}`;
    renameSync(path, aside);
    return aside;
  });
  return asides[0];
}

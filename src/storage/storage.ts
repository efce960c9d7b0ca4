/**
 * Everything of a desktop that lies on a disk: images, base trees, writable layers, homes. Decides nothing:
 * each verb may be called again, works without a finished predecessor and leaves nothing half done. Called by
 * the node's executors; reads no database.
 */

import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import type { DiId, VmId } from "../domain/ids.ts";
import { baseFolder, isShared, type Layout } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { ensureBase } from "./ensure-base.ts";
import { fetchImage } from "./fetch/fetch-image.ts";
import { FETCH_TIMES, type FetchRequest } from "./fetch/fetch-times.ts";
import { lookupHost, mayReachPublic } from "./fetch/resolve-host.ts";
import { freeBytes } from "./free-bytes.ts";
import { IdMaps } from "./id-maps.ts";
import { ALLOCATED_MB } from "./image-file.ts";
import { tryImageLock } from "./image-lock.ts";
import { sweepKeptMachine } from "./kept-machine.ts";
import { type Libc, openLibc } from "./libc.ts";
import { type BaseEntry, listBases } from "./list-bases.ts";
import { type DesktopDisks, listMounted } from "./list-mounted.ts";
import { type MachineRequest, prepareMachine, retireMachineHome } from "./machine-disks.ts";
import { type MountedDesktop, type MountRequest, mountDesktop } from "./mount-desktop.ts";
import { createUseReader, type StorageUse } from "./read-use.ts";
import { removeBase } from "./remove-base.ts";
import { retireHome } from "./retire-home.ts";
import type { LetGo } from "./settle-disk.ts";
import { unmountDesktop } from "./unmount-desktop.ts";
import { type VerifiedArchive, verifyArchive } from "./verify-archive.ts";
import { type VerifiedDisk, verifyDisk } from "./verify-disk.ts";

export type StorageOptions = {
  readonly layout: Layout;
  /** First host id of desktops (setting QVD_ID_FIRST). */
  readonly idRangeFirst: number;
  readonly log: Log;
  /** Space that unpacking leaves free, so that the database on the same disk can go on. */
  readonly reserveBytes?: number;
  /** What people call this box; its host name when left out. */
  readonly boxName?: string;
  /** How a desktop's system is made from its image's; overlays when left out. */
  readonly driver?: StorageDriver;
  /** Whether images may be fetched from addresses that are not public (QVD_IMAGE_PRIVATE_URLS). */
  readonly mayFetchPrivate?: boolean;
  /** How long a start waits for a home that another box has. */
  readonly lockTimeoutMs?: number;
  /** Images up to this get all their blocks when they are made (setting QVD_ALLOCATE_MB). */
  readonly allocatedMb?: number;
  /** What may become of unwritten data when disks are unmounted; written when left out. */
  readonly letGo?: () => LetGo;
};

/** A device that was let go of just now may need a moment to give up its lock. */
const LOCK_TIMEOUT_MS = 1_000;
/** A lost box keeps its locks until its lease with the storage ends: whoever takes over waits for that. */
const SHARED_LOCK_TIMEOUT_MS = 15_000;

export const STORAGE_DRIVERS = ["overlay", "btrfs", "copy"] as const;

export type StorageDriver = (typeof STORAGE_DRIVERS)[number];

/** The setting's choices are these, so nothing else comes. */
export function parseStorageDriver(text: string): StorageDriver {
  const driver = STORAGE_DRIVERS.find((one) => one === text);
  if (driver === undefined) throw new AppError("bad-input", `QVD_STORAGE_DRIVER: there is no ${text}`);
  return driver;
}

/** What the verbs of this folder work with. */
export type StorageContext = {
  readonly layout: Layout;
  readonly idRangeFirst: number;
  readonly reserveBytes: number;
  readonly boxName: string;
  readonly driver: StorageDriver;
  readonly lockTimeoutMs: number;
  readonly allocatedMb: number;
  readonly letGo: () => LetGo;
  readonly libc: Libc;
  readonly idMaps: IdMaps;
};

export interface Storage {
  /** Reads the whole file; `image-broken` says why it is no image. */
  verifyArchive(archivePath: string, signal?: AbortSignal): Promise<VerifiedArchive>;
  /** The same for the disk of virtual machines. */
  verifyDisk(path: string, signal?: AbortSignal): Promise<VerifiedDisk>;
  /** Fetches an image file, taking up what an earlier try left. `image-broken`, `forbidden`, `unavailable`, `storage-full`. */
  fetchImage(request: FetchRequest, signal: AbortSignal): Promise<{ readonly sizeBytes: number }>;
  /** Undefined, at once, when another box or process works on the image's file. */
  tryImageLock<T>(diId: DiId, use: () => Promise<T>): Promise<{ readonly value: T } | undefined>;
  /** Returns the base folder, unpacking the image first where nobody has. `image-broken`, `storage-full`. */
  ensureBase(diId: DiId, archivePath: string, signal: AbortSignal): Promise<string>;
  hasBase(diId: DiId): Promise<boolean>;
  /** Unpacked images, and since when. */
  listBases(): Promise<readonly BaseEntry[]>;
  /** May be called again. `conflict` while a desktop's disks stand on it. */
  removeBase(diId: DiId, signal: AbortSignal): Promise<void>;
  /** For a desktop that is not running: its writable layer is thrown away first. */
  mountDesktop(request: MountRequest): Promise<MountedDesktop>;
  /** The same for a virtual machine: makes its disks. */
  prepareMachine(request: MachineRequest): Promise<void>;
  /** Removes what a killed `prepareMachine` of this box left on the shared storage. */
  sweepMachine(vmId: VmId): Promise<void>;
  /** For a desktop that is proved dead. */
  unmountDesktop(vmId: VmId): Promise<void>;
  /** Of `only` these desktops when given, which costs next to nothing where they have nothing. */
  listMounted(only?: readonly VmId[]): Promise<ReadonlyMap<VmId, DesktopDisks>>;
  /** Puts the home of a deleted desktop aside. */
  retireHome(vmId: VmId, now: Date): Promise<string | undefined>;
  freeBytes(): Promise<number>;
  /** Never waits long, not even for a storage that hangs. */
  readUse(): Promise<StorageUse>;
}

const RESERVE_BYTES = 512 * 2 ** 20;

export function createStorage(options: StorageOptions): Storage {
  const { layout, idRangeFirst, log, reserveBytes = RESERVE_BYTES } = options;
  const { boxName = hostname(), driver = "overlay", allocatedMb = ALLOCATED_MB } = options;
  const { letGo = (): LetGo => "written" } = options;
  const { lockTimeoutMs = isShared(layout) ? SHARED_LOCK_TIMEOUT_MS : LOCK_TIMEOUT_MS } = options;
  const context: StorageContext = {
    ...{ layout, idRangeFirst, reserveBytes, boxName, driver, lockTimeoutMs, allocatedMb, letGo },
    libc: openLibc(),
    idMaps: new IdMaps(),
  };
  return {
    verifyArchive,
    verifyDisk,
    fetchImage: (request, signal) => {
      const mayReach = options.mayFetchPrivate === true ? () => true : mayReachPublic;
      return fetchImage({ ...FETCH_TIMES, ...request, reserveBytes, lookup: lookupHost, mayReach }, signal);
    },
    tryImageLock: (diId, use) => tryImageLock(context, diId, use),
    async ensureBase(diId, archivePath, signal) {
      const startedMs = performance.now();
      const base = await ensureBase(context, { diId, archivePath }, signal);
      log.debug("base-ensured", { diId, tookMs: Math.round(performance.now() - startedMs) });
      return base;
    },
    hasBase: (diId) => hasBase(layout, diId),
    listBases: () => listBases(layout),
    removeBase: (diId, signal) => removeBase(context, diId, signal),
    mountDesktop: (request) => mountDesktop(context, request),
    prepareMachine: async (request) => void (await prepareMachine(context, request)),
    sweepMachine: (vmId) => sweepKeptMachine(context, vmId),
    unmountDesktop: (vmId) => unmountDesktop(context, vmId),
    listMounted: async (only) => listMounted(context, only),
    async retireHome(vmId, now) {
      const disk = await retireMachineHome(context, vmId, now);
      return (await retireHome(context, vmId, now)) ?? disk;
    },
    freeBytes: () => freeBytes(layout.stateFolder),
    readUse: createUseReader(layout),
  };
}

/** At once where they are on the box's own disk: it is asked several times a start. A shared one may not answer. */
async function hasBase(layout: Layout, diId: DiId): Promise<boolean> {
  const folder = baseFolder(layout, diId);
  if (folder.startsWith(`${layout.stateFolder}/`) && !isShared(layout)) return existsSync(folder);
  return (await stat(folder).catch(() => undefined)) !== undefined;
}

/** A file system in a file (ext4): how it is made, how large it is, how it grows. */

import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../lib/errors.ts";
import { run, runOk } from "../lib/run.ts";

const MB = 2 ** 20;
/** Below this there is more book-keeping than room. */
export const LEAST_IMAGE_MB = 16;
/**
 * Up to this (setting QVD_ALLOCATE_MB) an image gets all its blocks when it is made, so that nobody else's
 * writing can leave it without; larger ones get them as they are written.
 */
export const ALLOCATED_MB = 2_048;

export type ImageSize = { readonly sizeMb: number; readonly allocatedMb: number };

const MKFS_TIMEOUT_MS = 5 * 60_000;
/** A large home whose file system must be looked through after a power cut. */
const CHECK_TIMEOUT_MS = 30 * 60_000;
const SUPERBLOCK_AT = 1_024;

/** Under its name only once it is whole and on the disk. An older half-made one is replaced. */
export async function makeImage(path: string, { sizeMb, allocatedMb }: ImageSize): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  try {
    await fillImage(temporary, { sizeMb: Math.max(LEAST_IMAGE_MB, sizeMb), allocatedMb });
    await syncPath(temporary);
    await rename(temporary, path);
    await syncPath(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

/** Makes it at the path itself, for whoever renames it when there is something in it. */
export async function fillImage(path: string, { sizeMb, allocatedMb }: ImageSize): Promise<void> {
  const doing = `making the file system ${path}`;
  await runOk(doing, ["/usr/bin/truncate", "-s", `${sizeMb}M`, path]);
  const isAllocated = sizeMb <= allocatedMb && (await allocate(path, sizeMb));
  const journalMb = Math.min(32, Math.max(4, Math.floor(sizeMb / 32)));
  await runOk(
    doing,
    [
      ...["/usr/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-e", "remount-ro"],
      ...["-J", `size=${journalMb}`],
      ...["-E", `root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1${isAllocated ? ",nodiscard" : ""}`],
      path,
    ],
    { timeoutMs: MKFS_TIMEOUT_MS },
  );
}

/**
 * The file alone, open as `descriptor`, for its file system to grow into. With blocks of its own as a new one of that size has
 * them; as it was where there is no room for them, which is `storage-full`.
 */
export async function extendImage(
  path: string,
  descriptor: number,
  { sizeMb, allocatedMb }: ImageSize,
): Promise<void> {
  const before = fstatSync(descriptor).size;
  try {
    if (sizeMb <= allocatedMb) await allocate(path, sizeMb);
  } catch (cause) {
    ftruncateSync(descriptor, before);
    throw cause;
  }
  ftruncateSync(descriptor, sizeMb * MB);
}

/** Where the file system below can't (an older NFS), the image stays without blocks of its own. */
async function allocate(path: string, sizeMb: number): Promise<boolean> {
  const result = await run(["/usr/bin/fallocate", "-l", `${sizeMb}M`, path]);
  if (result.exitCode === 0) return true;
  if (/No space left|quota/i.test(result.stderr))
    throw new AppError(
      "storage-full",
      `Allocating ${sizeMb} MB for ${path}: there is no room. Make room there, or lower the limit in the OSF.`,
    );
  return false;
}

/** As the file system itself says; the file may be larger where growing was interrupted. */
export function readImageMb(path: string): number {
  const descriptor = openSync(path, "r");
  try {
    const block = new Uint8Array(1_024);
    const view = new DataView(block.buffer);
    const isExt4 = readSync(descriptor, block, 0, block.length, SUPERBLOCK_AT) === block.length;
    if (!isExt4 || view.getUint16(0x38, true) !== 0xef53)
      throw new AppError("driver-failed", `Reading ${path}: it holds no ext4 file system`);
    const blocks = view.getUint32(0x04, true) + view.getUint32(0x150, true) * 2 ** 32;
    return Math.floor((blocks * 2 ** (10 + view.getUint32(0x18, true))) / MB);
  } finally {
    closeSync(descriptor);
  }
}

/** Replays what a crash left in the journal and repairs what can be without loss. */
export async function checkImage(device: string, path: string): Promise<void> {
  const { exitCode, stdout, stderr } = await run(["/usr/sbin/e2fsck", "-p", device], {
    timeoutMs: CHECK_TIMEOUT_MS,
  });
  // 1 and 2 say that something was repaired (e2fsck(8)).
  if (exitCode < 4) return;
  const said = (stderr || stdout).trim().split("\n").slice(-2).join("; ");
  throw new AppError(
    "driver-failed",
    `Checking ${path}: its file system is damaged (${said}). Copy the file, then run: e2fsck -f ${path}`,
  );
}

/** To the size of its device. The file system must not be mounted. */
export async function growImage(device: string, path: string): Promise<void> {
  const doing = `growing the file system ${path}`;
  const options = { timeoutMs: CHECK_TIMEOUT_MS };
  const { exitCode, stderr } = await run(["/usr/sbin/e2fsck", "-f", "-p", device], options);
  if (exitCode >= 4) throw new AppError("driver-failed", `${doing}: ${stderr.trim() || "it is damaged"}`);
  await runOk(doing, ["/usr/sbin/resize2fs", device], options);
}

export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

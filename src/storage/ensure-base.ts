/**
 * Unpacks an image once into a base tree that all its desktops share. What is on disk is unshifted: plain
 * ids, as in the image. Safe against two callers (a lock), against being killed (a temporary folder, renamed
 * when all of it is on the disk) and against the image (tar runs in a user namespace of its own and sees the
 * folder through an id-mapped mount, so that even a tar gone wrong can write nowhere else).
 */

import { closeSync } from "node:fs";
import { lstat, mkdir, readdir, rename } from "node:fs/promises";
import { basename } from "node:path";
import type { DiId } from "../domain/ids.ts";
import { unpackRange } from "../domain/node/id-range.ts";
import { baseFolder } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { brokenImage, faultOfTar, isFullDisk } from "./broken-image.ts";
import { withFileLock } from "./file-lock.ts";
import { freeBytes } from "./free-bytes.ts";
import { makeBaseFolder } from "./make-base-folder.ts";
import { removeTree } from "./remove-tree.ts";
import { runTar, type TarResult, unpackingConfinement } from "./run-tar.ts";
import type { StorageContext } from "./storage.ts";
import { withUserNamespace } from "./user-namespace.ts";
import { type OpenedArchive, openArchive } from "./verify-archive.ts";

const TIMEOUT_MS = 15 * 60_000;
const SPACE_CHECK_MS = 200;

/** Returns the base folder; at once when it is there already. Image faults are `image-broken`, a lack of space `storage-full`. */
export async function ensureBase(
  context: StorageContext,
  image: { readonly diId: DiId; readonly archivePath: string },
  signal: AbortSignal,
): Promise<string> {
  const { layout, libc } = context;
  const base = baseFolder(layout, image.diId);
  await mkdir(layout.basesFolder, { recursive: true, mode: 0o700 });
  if (await isFolder(base)) return base;
  const path = `${layout.basesFolder}/.${image.diId}.lock`;
  await withFileLock(libc, { path, timeoutMs: TIMEOUT_MS, signal }, async () => {
    if (await isFolder(base)) return;
    await sweepTemporary(layout.basesFolder, image.diId);
    const temporary = `${layout.basesFolder}/.${image.diId}.tmp.${process.pid}`;
    try {
      await unpack(context, { archivePath: image.archivePath, temporary }, signal);
      await runOk("writing the image's files to the disk", ["/usr/bin/sync", "-f", temporary]);
      await rename(temporary, base);
      await runOk("writing the image's folder to the disk", ["/usr/bin/sync", "-f", layout.basesFolder]);
    } catch (cause) {
      await removeTree(temporary);
      throw asStorageFault(cause, image.archivePath);
    }
  });
  return base;
}

type Unpacking = { readonly archivePath: string; readonly temporary: string };

async function unpack(context: StorageContext, work: Unpacking, signal: AbortSignal): Promise<void> {
  const archive = await openArchive(work.archivePath);
  const { reserveBytes } = context;
  // A compressed image needs more than its size; the rest is watched while unpacking.
  if ((await freeBytes(context.layout.basesFolder)) < archive.sizeBytes + reserveBytes)
    throw full(work.archivePath, reserveBytes);
  await makeBaseFolder(context, work.temporary);
  const tooFull = new AbortController();
  const watch = setInterval(async () => {
    const free = await freeBytes(context.layout.basesFolder).catch(() => Number.MAX_SAFE_INTEGER);
    if (free < reserveBytes) tooFull.abort();
  }, SPACE_CHECK_MS);
  try {
    const result = await runConfined(context, work, archive, AbortSignal.any([signal, tooFull.signal]));
    signal.throwIfAborted();
    if (tooFull.signal.aborted || isFullDisk(result.said)) throw full(work.archivePath, reserveBytes);
    if (result.exitCode !== 0) throw brokenImage(work.archivePath, faultOfTar(result.said));
  } finally {
    clearInterval(watch);
  }
  // Not followed: these are the image's own links. The verification was more thorough, but the file may be another by now.
  const isRoot = (await isFolder(`${work.temporary}/etc`)) && (await isFolder(`${work.temporary}/usr`));
  if (!isRoot) throw brokenImage(work.archivePath, "it is no root file system: /etc or /usr is missing");
}

function runConfined(
  context: StorageContext,
  work: Unpacking,
  archive: OpenedArchive,
  signal: AbortSignal,
): Promise<TarResult> {
  const range = unpackRange(context.idRangeFirst);
  return withUserNamespace(range, async (namespace) => {
    // A mount that has no place in the tree: nothing to unmount, whatever happens to us.
    const tree = context.libc.openTree(work.temporary);
    try {
      context.libc.setMountAttributes(tree, { userNamespace: namespace.descriptor });
      return await runTar({
        archivePath: work.archivePath,
        format: archive.format,
        cwd: `/proc/${process.pid}/fd/${tree}`,
        confinement: unpackingConfinement({ pid: namespace.pid, vmsFolder: context.layout.vmsFolder }),
        action: [
          ...["--extract", "--preserve-permissions", "--same-owner", "--numeric-owner"],
          // File capabilities, but no trusted.* or security.*, which would speak to the host's kernel.
          ...["--xattrs", "--xattrs-include=security.capability", "--xattrs-include=user.*"],
          ...["--anchored", "--exclude=./dev/*", "--exclude=dev/*", "--warning=no-timestamp"],
        ],
        timeoutMs: TIMEOUT_MS,
        signal,
      });
    } finally {
      closeSync(tree);
    }
  });
}

/** Removes what earlier tries left that didn't live to do so. The caller holds the lock, so none is in use. */
export async function sweepTemporary(basesFolder: string, diId: DiId): Promise<void> {
  for (const name of await readdir(basesFolder))
    if (name.startsWith(`.${diId}.tmp.`)) await removeTree(`${basesFolder}/${name}`);
}

function full(archivePath: string, reserveBytes: number): AppError {
  const kept = Math.round(reserveBytes / 2 ** 20);
  return new AppError(
    "storage-full",
    `Unpacking the image ${basename(archivePath)}: the disk of the state folder is full (${kept} MB are kept free). Make room there, or move QVD_STATE to a larger disk.`,
  );
}

function asStorageFault(cause: unknown, archivePath: string): unknown {
  if (cause instanceof AppError && !isFullDisk(cause.message)) return cause;
  return cause instanceof Error && isFullDisk(cause.message) ? full(archivePath, 0) : cause;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/**
 * The image of what a desktop keeps: found, made, filled from the folder that it replaces, or made smaller when
 * its limit was lowered. Under a lock of its own, since the image's own lock can't be taken before it is there.
 */

import { link, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { withFileLock } from "./file-lock.ts";
import { freeBytes } from "./free-bytes.ts";
import { fillImage, makeImage, readImageMb, syncPath } from "./image-file.ts";
import { isThere } from "./is-there.ts";
import { mountImage } from "./mount-image.ts";
import {
  COPY_TIMEOUT_MS,
  findAsideName,
  fits,
  measureMb,
  moveIntoImage,
  putFolderAside,
} from "./move-into-image.ts";
import type { StorageContext } from "./storage.ts";
import { unmountAll } from "./unmount-all.ts";

export type EnsureImage = {
  readonly path: string;
  /** Folders that the image replaces, and where in it they go. */
  readonly parts: readonly { readonly folder: string; readonly inside: string }[];
  /** Of a new one. */
  readonly sizeMb: number;
  /** Smaller than it is: what is in it moves to a smaller one, where it has room. */
  readonly mostMb?: number | undefined;
  /** Where it may be mounted meanwhile. */
  readonly mountPoint: string;
};

const MB = 2 ** 20;

export async function ensureImage(context: StorageContext, image: EnsureImage): Promise<void> {
  const { path, parts, sizeMb, mountPoint, mostMb } = image;
  const lock = {
    path: `${path}.lock`,
    timeoutMs: context.lockTimeoutMs,
    signal: new AbortController().signal,
  };
  await withFileLock(context.libc, lock, async () => {
    const folders: string[] = [];
    for (const { folder } of parts) if (await isThere(folder)) folders.push(folder);
    if (await isThere(path)) {
      // A crash after the image got its name left the folders that it was made from.
      for (const folder of folders) await putFolderAside(folder);
      if (mostMb !== undefined && readImageMb(path) > mostMb) await shrinkImage(context, image, mostMb);
    } else if (folders.length > 0) await moveIntoImage(context, { parts, image: path, sizeMb, mountPoint });
    else await makeImage(path, { sizeMb, allocatedMb: context.allocatedMb });
  });
}

/**
 * By a copy, since a file system that is made smaller in place is lost when the power fails. Nothing happens
 * where the content has no room in the smaller one, or the disk none for a copy.
 */
async function shrinkImage(context: StorageContext, image: EnsureImage, mostMb: number): Promise<void> {
  const { path, mountPoint } = image;
  const [temporary, second] = [`${path}.moving`, `${mountPoint}-smaller`];
  const doing = `Making ${path} smaller`;
  try {
    await mountImage(context, { path, mountPoint, sizeMb: 0 });
    const contentMb = await measureMb([mountPoint]);
    const hasRoom = (await freeBytes(dirname(path))) > (contentMb + 64) * MB + context.reserveBytes;
    if (!fits(contentMb, mostMb) || !hasRoom) return;
    await rm(temporary, { force: true });
    await fillImage(temporary, { sizeMb: mostMb, allocatedMb: context.allocatedMb });
    await mkdir(second, { recursive: true });
    await mountImage(context, { path: temporary, mountPoint: second, sizeMb: 0 });
    const copy = ["/usr/bin/cp", "-a", "--", `${mountPoint}/.`, second];
    await runOk(doing, copy, { timeoutMs: COPY_TIMEOUT_MS });
    await unmountAll(context, second);
    await syncPath(temporary);
    // At every moment there is a home under the name, and the old one stays beside it.
    await link(path, await findAsideName(path));
    await rename(temporary, path);
    await syncPath(dirname(path));
  } catch (cause) {
    // Inodes run out before blocks do where there are many small files.
    if (!(cause instanceof AppError) || !/No space left/.test(cause.message)) throw cause;
  } finally {
    for (const place of [second, mountPoint]) await unmountAll(context, place);
    for (const left of [temporary, `${temporary}.holder`]) await rm(left, { force: true });
  }
}

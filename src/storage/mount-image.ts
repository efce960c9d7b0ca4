/**
 * Mounts a file-system image under the last line of defence: the file is opened once and locked, and that
 * open file is what the loop device works on. So the lock lasts exactly as long as anybody can write through
 * it, whatever becomes of our processes. On NFSv4 it is a lock of the server's, and every write carries it: a
 * box that slept through its lease writes nothing any more.
 */

import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import { checkImage, extendImage, growImage, readImageMb } from "./image-file.ts";
import { attachLoop } from "./loop-device.ts";
import type { StorageContext } from "./storage.ts";

export type ImageMount = {
  readonly path: string;
  readonly mountPoint: string;
  /** Least size; a smaller one grows, a larger one stays. */
  readonly sizeMb: number;
  readonly allowsSetuid?: boolean;
};

/** `conflict` while another box, or another mount of this one, has it. */
export async function mountImage(context: StorageContext, image: ImageMount): Promise<void> {
  const { libc } = context;
  const descriptor = openSync(image.path, constants.O_RDWR);
  try {
    await lockImage(context, image.path, descriptor);
    refuseReplaced(image.path, descriptor);
    const isSmaller = readImageMb(image.path) < image.sizeMb;
    const { allocatedMb } = context;
    if (isSmaller) await extendImage(image.path, descriptor, { sizeMb: image.sizeMb, allocatedMb });
    const loop = await attachLoop(libc, descriptor, image.path);
    try {
      await checkImage(loop.path, image.path);
      if (isSmaller) await growImage(loop.path, image.path);
      await mkdir(image.mountPoint, { recursive: true, mode: 0o700 });
      const options = `nodev,noinit_itable,errors=remount-ro${image.allowsSetuid ? "" : ",nosuid"}`;
      await runOk(`Mounting ${image.path}`, [
        ...["/usr/bin/mount", "--no-canonicalize", "-t", "ext4", "-o", options],
        ...[loop.path, image.mountPoint],
      ]);
    } finally {
      loop.close();
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Whoever held the lock may have put another file under the name; what we hold now is nobody's. */
export function refuseReplaced(path: string, descriptor: number): void {
  const ours = fstatSync(descriptor);
  const named = statSync(path, { throwIfNoEntry: false });
  if (named?.ino === ours.ino && named.dev === ours.dev) return;
  throw new AppError("conflict", `Opening ${path}: it was replaced while we waited for it; try again`);
}

/** Throws `conflict` when somebody has the image in use. The lock ends with the descriptor. */
export async function lockImage(context: StorageContext, path: string, descriptor: number): Promise<void> {
  const isHeld = await waitFor(() => context.libc.tryLock(descriptor), {
    timeoutMs: context.lockTimeoutMs,
    everyMs: 100,
  });
  if (!isHeld) {
    const holder = (await readFile(holderPath(path), "utf8").catch(() => "")).trim();
    throw new AppError(
      "conflict",
      `Opening ${path}: its lock is held, probably by ${holder === "" ? "another box" : `the box ${holder}`}. It is free when that box has unmounted it, or its lease with the storage has run out.`,
    );
  }
  // Only a hint for people: what counts is the lock.
  await writeFile(holderPath(path), `${context.boxName}\n`).catch(() => {});
}

export function holderPath(path: string): string {
  return `${path}.holder`;
}

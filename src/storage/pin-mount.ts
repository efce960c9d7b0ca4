/**
 * Holds on to the very file system that a list of mounts named. What is done by a path is done to whatever lies
 * there by then: once a home is unmounted, its mount point is a folder of the box's own disk, and freezing that
 * would stop the whole box. Through the descriptor it is this file system or none, and while it is held the
 * mount can't be taken away but lazily, which the descriptor outlives.
 */

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { AppError } from "../lib/errors.ts";
import type { Mount } from "./mountinfo.ts";

export type DiskMount = Pick<Mount, "mountPoint" | "device">;

export type PinnedMount = { readonly descriptor: number; readonly release: () => void };

/** `conflict` when it isn't mounted there any more. Never waits for the disk. */
export function pinMount({ mountPoint, device }: DiskMount): PinnedMount {
  const descriptor = openFolder(mountPoint);
  const found = deviceOf(fstatSync(descriptor, { bigint: true }).dev);
  if (found === device) return { descriptor, release: () => closeSync(descriptor) };
  closeSync(descriptor);
  throw new AppError("conflict", `${mountPoint}: device ${device} isn't mounted there any more`);
}

function openFolder(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw new AppError("conflict", `${path} can't be opened as the folder that it was`, { cause });
  }
}

/** As the kernel writes it in mountinfo, from what the C library packs into one number. */
function deviceOf(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

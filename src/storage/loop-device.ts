/**
 * A file as a block device. The kernel's loop device takes over the very open file it is given, with the lock
 * that is on it, and keeps both until it is detached: no process of ours has to live for the lock. It detaches
 * itself when the last user closes it, so that a crash between two steps leaves nothing.
 */

import { closeSync, existsSync, openSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import type { Libc } from "./libc.ts";
import { releaseCopies } from "./release-copies.ts";

export type LoopDevice = {
  readonly path: string;
  /** Lets go of it: without a mount it is detached at once. */
  readonly close: () => void;
};

// From linux/loop.h.
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const CONFIG_BYTES = 304;
const FLAGS_AT = 60;
const NAME_AT = 64;
const NAME_BYTES = 63;
const LO_FLAGS_AUTOCLEAR = 4;
/** No pages of the file in our memory: what was written is written by this lock's holder, or not at all. */
const LO_FLAGS_DIRECT_IO = 16;
const EBUSY = -16;
const MOST_TRIES = 50;
const DETACH_SOON_MS = 500;
const DETACH_TIMEOUT_MS = 5_000;

/** `descriptor` may be closed afterwards; the device has its own hold on the open file. */
export async function attachLoop(libc: Libc, descriptor: number, name: string): Promise<LoopDevice> {
  const control = openSync("/dev/loop-control", "r+");
  try {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const number = libc.ioctl(control, LOOP_CTL_GET_FREE, 0);
      if (number < 0)
        throw new AppError("driver-failed", `Attaching ${name}: no free loop device (error ${-number})`);
      const path = `/dev/loop${number}`;
      // Where /dev isn't the kernel's own, nobody makes the file.
      if (!existsSync(path))
        await runOk(`making ${path}`, ["/usr/bin/mknod", "-m", "0600", path, "b", "7", `${number}`]);
      const device = openSync(path, "r+");
      const answer = libc.ioctl(device, LOOP_CONFIGURE, encodeConfig(descriptor, name));
      if (answer >= 0) return { path, close: () => closeSync(device) };
      closeSync(device);
      // Another was faster with this number.
      if (answer !== EBUSY)
        throw new AppError("driver-failed", `Attaching ${name} to ${path}: error ${-answer} from the kernel`);
    }
  } finally {
    closeSync(control);
  }
  throw new AppError("driver-failed", `Attaching ${name}: no free loop device after ${MOST_TRIES} tries`);
}

/** Numbers of the loop devices that stand on one of the files. */
export async function listLoops(isFile: (path: string) => boolean): Promise<readonly string[]> {
  const names = (await readdir("/sys/block").catch((): string[] => [])).filter((name) =>
    /^loop\d+$/.test(name),
  );
  const found = names.map(async (name) => {
    // Without the file it is a free one.
    const text = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => "");
    return isFile(text.trim().replace(/ \(deleted\)$/, "")) ? name : undefined;
  });
  return (await Promise.all(found)).filter((name) => name !== undefined);
}

export type DetachWait = {
  readonly isFile: (path: string) => boolean;
  /** Where their file systems were mounted, or below. */
  readonly folder: string;
  readonly doing: string;
};

/**
 * Waits until no loop device stands on the files any more: then their locks are free for another box. What other
 * mount namespaces have copied is let go of there.
 */
export async function waitForDetached(libc: Libc, wait: DetachWait): Promise<void> {
  const { isFile, folder, doing } = wait;
  let left: readonly string[] = [];
  const isDetached = async () => {
    left = await listLoops(isFile);
    return left.length === 0;
  };
  if (await waitFor(isDetached, { timeoutMs: DETACH_SOON_MS, everyMs: 20 })) return;
  const kept = await releaseCopies(libc, { loops: left, folder });
  if (await waitFor(isDetached, { timeoutMs: DETACH_TIMEOUT_MS, everyMs: 50 })) return;
  const by = kept.map(({ pid, program }) => `process ${pid} (${program})`).join(", ");
  throw new AppError(
    "driver-failed",
    `${doing}: ${left.join(", ")} still stands on its image${by === "" ? "" : `, which the mount namespace of ${by} keeps open`}`,
  );
}

/** `struct loop_config`: the file's descriptor, block size, `struct loop_info64`. */
function encodeConfig(descriptor: number, name: string): Uint8Array {
  const bytes = new Uint8Array(CONFIG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, descriptor, true);
  view.setUint32(FLAGS_AT, LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO, true);
  bytes.set(new TextEncoder().encode(name).subarray(-NAME_BYTES), NAME_AT);
  return bytes;
}

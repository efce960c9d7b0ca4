/**
 * A file as a block device. The kernel's loop device takes over the very open file it is given, with the lock
 * that is on it, and keeps both until it is detached: no process of ours has to live for the lock. It detaches
 * itself when the last user closes it, so that a crash between two steps leaves nothing.
 */

import { closeSync, existsSync, openSync } from "node:fs";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import type { Libc } from "./libc.ts";

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

/** `struct loop_config`: the file's descriptor, block size, `struct loop_info64`. */
function encodeConfig(descriptor: number, name: string): Uint8Array {
  const bytes = new Uint8Array(CONFIG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, descriptor, true);
  view.setUint32(FLAGS_AT, LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO, true);
  bytes.set(new TextEncoder().encode(name).subarray(-NAME_BYTES), NAME_AT);
  return bytes;
}

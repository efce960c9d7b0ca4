/**
 * The system calls that a keeper needs and Bun doesn't offer: a clock that goes on while the machine sleeps (a
 * suspended box must notice that its right has lapsed), and memory that stays where it is (a box short of memory
 * must still be able to fence). Through bun:ffi.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";

export type KeeperCalls = {
  /** Milliseconds since the machine's start, sleep included. */
  bootMs(): number;
  /** Keeps what is touched from now on, and was before, in memory. False when the kernel refuses. */
  lockMemory(): boolean;
};

const CLOCK_BOOTTIME = 7;
const MCL_CURRENT = 1;
const MCL_FUTURE = 2;
/** Only pages in use: the engine reserves gigabytes that it never touches. */
const MCL_ONFAULT = 4;

export function openKeeperCalls(): KeeperCalls {
  const { i32, pointer } = FFIType;
  const { symbols } = dlopen("libc.so.6", {
    clock_gettime: { args: [i32, pointer], returns: i32 },
    mlockall: { args: [i32], returns: i32 },
  });
  const time = new BigInt64Array(2);
  return {
    bootMs() {
      symbols.clock_gettime(CLOCK_BOOTTIME, ptr(time));
      return Number(time[0] ?? 0n) * 1000 + Number(time[1] ?? 0n) / 1e6;
    },
    lockMemory: () => symbols.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) === 0,
  };
}

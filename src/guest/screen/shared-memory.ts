/** A piece of System V shared memory, by which X hands pictures over. Through bun:ffi; none of the calls blocks. */

import { dlopen, FFIType, type Pointer, toArrayBuffer } from "bun:ffi";
import { AppError } from "../../lib/errors.ts";

export type SharedMemory = {
  readonly id: number;
  readonly bytes: Buffer;
  /** `bytes` must not be touched afterwards. */
  detach(): void;
};

const [PRIVATE, MAKE_FOR_OWNER, REMOVE] = [0, 0o1600, 0];

/**
 * The size is rounded up to whole pages by the kernel. It is gone with the last who has it attached, however they end: Linux
 * lets X attach what is marked for removal. Throws where there is none to be had.
 */
export function openSharedMemory(sizeBytes: number): SharedMemory {
  const { symbols } = dlopen("libc.so.6", {
    shmget: { args: [FFIType.i32, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
    shmat: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.ptr },
    shmctl: { args: [FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
    shmdt: { args: [FFIType.ptr], returns: FFIType.i32 },
  });
  const id = symbols.shmget(PRIVATE, sizeBytes, MAKE_FOR_OWNER);
  if (id === -1) throw noMemory(sizeBytes);
  const at = symbols.shmat(id, null, 0);
  symbols.shmctl(id, REMOVE, null);
  if (at === null || isFailure(at)) throw noMemory(sizeBytes);
  return {
    id,
    bytes: Buffer.from(toArrayBuffer(at, 0, sizeBytes)),
    detach: () => void symbols.shmdt(at),
  };
}

/** The call answers -1. */
function isFailure(at: Pointer | bigint): boolean {
  return Number(at) < 0 || Number(at) >= 2 ** 63;
}

function noMemory(sizeBytes: number): AppError {
  return new AppError("unavailable", `the kernel gave no shared memory of ${sizeBytes} bytes`);
}

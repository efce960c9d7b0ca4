/**
 * Comparing of memory by libc. A call of Buffer's own means takes 150 ns, one of these 15, and a screen has a thousand
 * lines, each compared more than once.
 */

import { dlopen, FFIType, type Pointer, ptr } from "bun:ffi";

/** Whether as many bytes at both addresses are the same. Nothing is checked: what is there must be ours. */
export type IsSame = (one: number, other: number, bytes: number) => boolean;

export function openComparing(): IsSame {
  const { symbols } = dlopen("libc.so.6", {
    memcmp: { args: [FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i32 },
  });
  return (one, other, bytes) => symbols.memcmp(toPointer(one), toPointer(other), bytes) === 0;
}

/** Where it lies, for as long as somebody holds it. */
export function addressOf(bytes: Uint8Array): number {
  return ptr(bytes);
}

function toPointer(address: number): Pointer {
  return address as Pointer;
}

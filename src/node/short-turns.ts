/**
 * Gives this process short turns at the processors, and with it all that it starts from then on: workers, PostgreSQL, desktops
 * and what is done to start them. A process that wakes waits until the one that runs has had its turn, 3 ms by the kernel's own
 * choice. Nobody's share of the processors changes: who computes is interrupted more often and goes on as soon.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { readdirSync } from "node:fs";

/** The least that kernels take. Those before 6.12 take no notice of it. */
export const TURN_NS = 100_000;

/** `struct sched_attr` of its first version, and where the length of a turn stands in it. */
const ATTRIBUTES_BYTES = 48;
const [POLICY_AT, TURN_AT] = [4, 24];
/** SCHED_OTHER; others have no turns of this kind. */
const ORDINARY = 0;
/** Of sched_setattr and sched_getattr, which glibc has no names for. */
const CALLS: Readonly<Partial<Record<NodeJS.Architecture, { readonly set: number; readonly get: number }>>> =
  { x64: { set: 314, get: 315 }, arm64: { set: 274, get: 275 } };

/** Where the kernel refuses, all is as it was. Not undone. */
export function takeShortTurns(): void {
  const calls = CALLS[process.arch];
  if (calls === undefined) return;
  const { i64, pointer } = FFIType;
  const library = dlopen("libc.so.6", {
    syscall: { args: [i64, i64, pointer, i64, i64], returns: i64 },
  });
  try {
    const call = library.symbols.syscall;
    const attributes = new DataView(new ArrayBuffer(ATTRIBUTES_BYTES));
    const address = ptr(new Uint8Array(attributes.buffer));
    // Threads that are there already, such as those that compile; later ones are like the one that starts them.
    for (const thread of readdirSync("/proc/self/task").map(Number)) {
      const isRead = Number(call(calls.get, thread, address, ATTRIBUTES_BYTES, 0)) === 0;
      if (!isRead || attributes.getUint32(POLICY_AT, true) !== ORDINARY) continue;
      attributes.setBigUint64(TURN_AT, BigInt(TURN_NS), true);
      call(calls.set, thread, address, 0, 0);
    }
  } finally {
    library.close();
  }
}

import type { Libc } from "./libc.ts";
import type { PinnedMount } from "./pin-mount.ts";

/** FS_IOC_SHUTDOWN of ext4 and xfs: _IOR('X', 125, u32). */
const IOC_SHUTDOWN = 0x8004587d;
const NO_LOG_FLUSH = 2;

/**
 * Ends a mounted file system as a power loss would: what is dirty is dropped, and it can't be frozen any more.
 * May be done again. False when the kernel refuses.
 */
export function shutDown(libc: Pick<Libc, "ioctl">, { descriptor }: PinnedMount): boolean {
  const how = new Uint8Array(new Uint32Array([NO_LOG_FLUSH]).buffer);
  return libc.ioctl(descriptor, IOC_SHUTDOWN, how) === 0;
}

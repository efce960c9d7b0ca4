/**
 * What a file system needs before its last unmount: one that is frozen outlives its mounts, with nobody left to
 * thaw it, and keeps its image and the lock on it for as long as the machine runs. But thawing lets out what is
 * dirty, so it depends on the right to run.
 */

import { AppError } from "../lib/errors.ts";
import { thawPinned } from "./freeze.ts";
import type { Libc } from "./libc.ts";
import { type DiskMount, pinMount } from "./pin-mount.ts";
import { shutDown } from "./shut-down.ts";

/**
 * What may become of what isn't written yet. `written`: the right to run stands. `dropped`: another box has
 * taken over. `undecided`: it may have lapsed; then nothing is unmounted until that is known.
 */
export type LetGo = "written" | "dropped" | "undecided";

export type SettleContext = { readonly libc: Pick<Libc, "ioctl">; readonly letGo: () => LetGo };

const THAW_MS = 5_000;

/** May be done again. `conflict` when it isn't mounted there any more, `unavailable` while it is undecided. */
export async function settleDisk({ libc, letGo }: SettleContext, disk: DiskMount): Promise<void> {
  const { mountPoint } = disk;
  const how = letGo();
  if (how === "undecided")
    throw new AppError(
      "unavailable",
      `Unmounting ${mountPoint}: whether this box may still write to it isn't known, since its right to run desktops is in doubt. It is tried again; \`qvd node status\` tells of the right.`,
    );
  const pinned = pinMount(disk);
  try {
    if (how === "dropped" && !shutDown(libc, pinned))
      throw new AppError("driver-failed", `Unmounting ${mountPoint}: it can't be shut down first`);
    const fault = await thawPinned(pinned, { timeoutMs: THAW_MS });
    if (fault !== undefined)
      throw new AppError("driver-failed", `Unmounting ${mountPoint}: thawing it first: ${fault}`);
  } finally {
    pinned.release();
  }
}

/**
 * Opens a machine's disk for its QEMU to inherit. What other boxes may have next is written past this box's memory:
 * else a box that was paused could write pages of a disk that is another's by then, and one that is cut from power
 * would lose what its guest was told is written.
 */

import { constants, openSync } from "node:fs";

export type OpenedDisk = {
  readonly descriptor: number;
  /** Whether what is written stays in no memory of this box. */
  readonly isDirect: boolean;
};

/** Where the file system knows no such writes (such as ramfs), it is opened all the same: `isDirect` tells. */
export function openDisk(path: string, { isShared }: { readonly isShared: boolean }): OpenedDisk {
  const { O_RDWR, O_DIRECT } = constants;
  if (!isShared) return { descriptor: openSync(path, O_RDWR), isDirect: false };
  try {
    return { descriptor: openSync(path, O_RDWR | O_DIRECT), isDirect: true };
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EINVAL")) throw cause;
    return { descriptor: openSync(path, O_RDWR), isDirect: false };
  }
}

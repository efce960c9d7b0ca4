/**
 * A desktop's root: its writable layer over the base tree. Mounted by a call of ours: a program for it costs
 * each start several milliseconds of the box.
 */

import type { VmId } from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import type { Libc } from "./libc.ts";

export type OverlayMount = {
  readonly vmId: VmId;
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  readonly root: string;
  /** Whether the layer outlives the stop. */
  readonly isKept: boolean;
};

/** The kernel reads a page of options, and would cut off what is longer. */
const MOST_OPTIONS_BYTES = 4_000;

export function mountOverlay(libc: Libc, mount: OverlayMount): void {
  const [lower, upper, work] = [mount.lower, mount.upper, mount.work].map(escapeOption);
  // volatile: nothing waits for the disk, since a fresh layer is thrown away at the next start anyway. One that
  // is kept may meet the same base unpacked elsewhere, with other inode numbers, so that it must rely on none.
  const manner = mount.isKept ? "index=off,metacopy=off" : "volatile";
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},${manner}`;
  if (Buffer.byteLength(options) > MOST_OPTIONS_BYTES)
    throw new AppError(
      "driver-failed",
      `Mounting the root of desktop ${mount.vmId}: its folders have too long names. Choose a shorter QVD_STATE.`,
    );
  libc.mount({ type: "overlay", source: `qvd-${mount.vmId}`, target: mount.root, options });
}

/** In mount options a comma ends an option and a colon a layer. */
function escapeOption(path: string): string {
  return path.replace(/[\\,:]/g, "\\$&");
}

/** A desktop's root: its writable layer over the base tree. */

import type { VmId } from "../domain/ids.ts";
import { runOk } from "../lib/run.ts";

export type OverlayMount = {
  readonly vmId: VmId;
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  readonly root: string;
  /** Whether the layer outlives the stop. */
  readonly isKept: boolean;
};

export async function mountOverlay(mount: OverlayMount): Promise<void> {
  const [lower, upper, work] = [mount.lower, mount.upper, mount.work].map(escapeOption);
  // volatile: nothing waits for the disk, since a fresh layer is thrown away at the next start anyway. One that
  // is kept may meet the same base unpacked elsewhere, with other inode numbers, so that it must rely on none.
  const manner = mount.isKept ? "index=off,metacopy=off" : "volatile";
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},nodev,${manner}`;
  await runOk(`Mounting the root of desktop ${mount.vmId}`, [
    ...["/usr/bin/mount", "--no-canonicalize", "-t", "overlay", "-o", options],
    ...[`qvd-${mount.vmId}`, mount.root],
  ]);
}

/** In mount options a comma ends an option and a colon a layer. */
function escapeOption(path: string): string {
  return path.replace(/[\\,:]/g, "\\$&");
}

/**
 * Gives the desktop the time zone of the client that comes, as `timedatectl set-timezone` would: programs that
 * start from then on see it. A zone that the image doesn't know leaves the one it has.
 */

import { renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import type { Log } from "../lib/log.ts";

/** `zone` has been whitelisted by the node; `root` is another than `/` in tests only. */
export function setTimeZone(
  zone: string,
  { log, root = "" }: { readonly log: Log; readonly root?: string },
): void {
  const file = `/usr/share/zoneinfo/${zone}`;
  if (zone.includes("..") || !statSync(root + file, { throwIfNoEntry: false })?.isFile()) {
    log.warn("time-zone-unknown", { zone });
    return;
  }
  const fresh = `${root}/etc/localtime.qvd-${process.pid}`;
  try {
    symlinkSync(file, fresh);
    renameSync(fresh, `${root}/etc/localtime`);
    writeFileSync(`${root}/etc/timezone`, `${zone}\n`);
  } catch (error) {
    // A session in the wrong zone is better than none.
    log.warn("time-zone-not-set", { zone, error });
  }
}

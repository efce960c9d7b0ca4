/** The file of the password that Xvnc asks its viewers for. It reads that at each one's coming, so it changes with the session. */

import { randomUUID } from "node:crypto";
import { chownSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { formatPasswordFile, screenPassword } from "../../wire/display/viewer-proof.ts";

/**
 * `key` is the session's; without one nobody comes in. `path` lies in root's own folder. Throws when it can't be written, as on a
 * full disk: nobody comes in then either.
 */
export function writeScreenPassword(
  path: string,
  { uid, gid, key = randomUUID() }: { readonly uid: number; readonly gid: number; readonly key?: string },
): void {
  const next = `${path}.new`;
  try {
    rmSync(next, { force: true });
    writeFileSync(next, formatPasswordFile(screenPassword(key)), { mode: 0o400, flag: "wx" });
    chownSync(next, uid, gid);
    // Whole or not at all: it may be read at any time.
    renameSync(next, path);
  } catch (error) {
    // The one before would go on letting in whoever knows it.
    rmSync(path, { force: true });
    throw error;
  }
}

/**
 * Removes a base tree that no image needs any more. Whoever decides that has read the database; here only the
 * kernel is asked, whether a desktop's disks stand on it, because removing files below an overlay breaks it.
 */

import { readFile, rename, rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { DiId } from "../domain/ids.ts";
import { baseFolder } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { sweepTemporary } from "./ensure-base.ts";
import { withFileLock } from "./file-lock.ts";
import { parseMountinfo } from "./mountinfo.ts";
import type { StorageContext } from "./storage.ts";

/** Unpacking holds the lock for a while; whoever removes comes again. */
const LOCK_MS = 5_000;

/** Takes what was left half unpacked or half removed with it. */
export async function removeBase(context: StorageContext, diId: DiId, signal: AbortSignal): Promise<void> {
  const { layout, libc } = context;
  const base = baseFolder(layout, diId);
  const path = `${layout.basesFolder}/.${diId}.lock`;
  await withFileLock(libc, { path, timeoutMs: LOCK_MS, signal }, async () => {
    await refuseUsed(context, diId);
    await sweepTemporary(layout.basesFolder, diId);
    if ((await stat(base).catch(() => undefined)) !== undefined) {
      // Out of the way first, so that nobody ever starts from half a tree.
      await rename(base, `${layout.basesFolder}/.${diId}.tmp.removed`);
      await sweepTemporary(layout.basesFolder, diId);
    }
    await rm(path, { force: true });
  });
}

async function refuseUsed({ layout }: StorageContext, diId: DiId): Promise<void> {
  const source = `/${basename(layout.basesFolder)}/${diId}`;
  const user = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8")).find(
    ({ root, mountPoint }) => root.endsWith(source) && mountPoint.startsWith(`${layout.vmsFolder}/`),
  );
  if (user === undefined) return;
  throw new AppError(
    "conflict",
    `Removing the unpacked image ${diId}: ${user.mountPoint} stands on it; stop that desktop first`,
  );
}

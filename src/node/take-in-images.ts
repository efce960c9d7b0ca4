/**
 * Takes enrolled images in: from the incoming folder to the images folder, where nobody but root can change
 * them any more, and only then verified. One at a time; a node that ended in the middle begins again. Of
 * several boxes that share the images one does it; a box that has none of its own leaves a file that lies
 * elsewhere to whom it lies with.
 */

import { constants } from "node:fs";
import { lstat, open, rename, rm } from "node:fs/promises";
import type { Db } from "../db/client.ts";
import {
  countNodes,
  listUnverifiedImages,
  readUnverifiedImage,
  type UnverifiedImage,
} from "../db/queries/node-images.ts";
import type { Layout } from "../domain/node/layout.ts";
import { AppError, describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Storage } from "../storage/storage.ts";
import type { Wake } from "../wire/wake/messages.ts";
import { imagePath } from "./execute/image-path.ts";
import { reportImage } from "./report/report-image.ts";

export type ImageDeps = {
  readonly db: Db;
  readonly storage: Pick<Storage, "verifyArchive" | "verifyDisk" | "tryImageLock">;
  readonly layout: Layout;
  readonly tell: (wake: Wake) => void;
  readonly log: Log;
};

/** How long a file may lie with another box that hasn't come to it. */
const ELSEWHERE_MS = 2 * 60_000;

/** Judges every image that waits, and returns how many; the database's failures are thrown, an image's are its verdict. */
export async function takeInImages(deps: ImageDeps, signal: AbortSignal): Promise<number> {
  let judged = 0;
  for (const { id } of await listUnverifiedImages(deps.db)) {
    if (signal.aborted) break;
    await deps.storage.tryImageLock(id, async () => {
      // Another box may have judged it between our look and the lock.
      const image = await readUnverifiedImage(deps.db, id);
      if (image === undefined || (await liesElsewhere(deps, image))) return;
      judged += 1;
      await takeIn(deps, image, signal);
    });
  }
  return judged;
}

async function liesElsewhere({ db, layout }: ImageDeps, image: UnverifiedImage): Promise<boolean> {
  const isShared = layout.sharedFolder !== layout.stateFolder;
  if (isShared || image.waitedMs > ELSEWHERE_MS) return false;
  for (const path of [imagePath(layout, image), `${layout.incomingFolder}/${image.fileName}`])
    if ((await lstat(path).catch(() => undefined)) !== undefined) return false;
  return (await countNodes(db)) > 1;
}

async function takeIn(deps: ImageDeps, image: UnverifiedImage, signal: AbortSignal): Promise<void> {
  const { db, log } = deps;
  const path = imagePath(deps.layout, image);
  await reportImage(db, image.id, { state: "verifying" });
  deps.tell({ topic: "image" });
  try {
    // What was fetched lies there; a file of that name among the incoming ones is somebody else's.
    if (image.sourceUrl === null) await fetchIncoming(deps.layout, image);
    const { sizeBytes, sha256 } = await verify(deps, image, signal);
    if (image.statedSha256 !== null && image.statedSha256 !== sha256)
      throw new AppError(
        "image-broken",
        `its sha256 is ${sha256}, not the ${image.statedSha256} that was stated; was it damaged on its way?`,
      );
    await reportImage(db, image.id, { state: "ready", sizeBytes, sha256 });
    log.info("image-ready", { diId: image.id, sizeBytes });
  } catch (error) {
    // Called off, not judged.
    if (signal.aborted) return;
    if (!isAppError(error) || error.code === "database-away") throw error;
    await rm(path, { force: true });
    await reportImage(db, image.id, { state: "failed", fault: describeError(error) });
    log.warn("image-refused", { diId: image.id, error });
  }
  deps.tell({ topic: "image" });
  deps.tell({ topic: "vm" });
}

function verify({ storage, layout }: ImageDeps, image: UnverifiedImage, signal: AbortSignal) {
  const path = imagePath(layout, image);
  return image.kind === "disk" ? storage.verifyDisk(path, signal) : storage.verifyArchive(path, signal);
}

async function fetchIncoming(layout: Layout, image: UnverifiedImage): Promise<void> {
  const path = imagePath(layout, image);
  const incoming = `${layout.incomingFolder}/${image.fileName}`;
  const found = await lstat(incoming).catch(() => undefined);
  if (found === undefined) {
    // An earlier try got this far, or somebody laid it there by hand.
    if ((await lstat(path).catch(() => undefined)) !== undefined) return;
    throw new AppError(
      "image-broken",
      `there is no file ${image.fileName} among the incoming images; upload it again and enrol that`,
    );
  }
  if (!found.isFile()) throw notPlain(image);
  await rename(incoming, path);
  await takeOver(path, image);
}

/** The folder it came from is another account's: what was renamed may be another thing than what was looked at. */
async function takeOver(path: string, image: UnverifiedImage): Promise<void> {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause: unknown) => {
    throw notPlain(image, cause);
  });
  try {
    if (!(await file.stat()).isFile()) throw notPlain(image);
    await file.chown(0, 0);
    await file.chmod(0o640);
  } finally {
    await file.close();
  }
}

function notPlain(image: UnverifiedImage, cause?: unknown): AppError {
  const text = `${image.fileName} among the incoming images is not a plain file`;
  return new AppError("image-broken", text, { cause });
}

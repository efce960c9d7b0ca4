/**
 * Takes enrolled images in: from the incoming folder to the images folder, where nobody but root can change
 * them any more, and only then verified. One at a time; a node that ended in the middle begins again.
 */

import { constants } from "node:fs";
import { lstat, open, rename, rm } from "node:fs/promises";
import type { Db } from "../db/client.ts";
import { listUnverifiedImages, type UnverifiedImage } from "../db/queries/node-images.ts";
import type { Layout } from "../domain/node/layout.ts";
import { AppError, describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Storage } from "../storage/storage.ts";
import type { Wake } from "../wire/wake/messages.ts";
import { imagePath } from "./execute/image-path.ts";
import { reportImage } from "./report/report-image.ts";

export type ImageDeps = {
  readonly db: Db;
  readonly storage: Pick<Storage, "verifyArchive">;
  readonly layout: Layout;
  readonly tell: (wake: Wake) => void;
  readonly log: Log;
};

/** Judges every image that waits, and returns how many; the database's failures are thrown, an image's are its verdict. */
export async function takeInImages(deps: ImageDeps, signal: AbortSignal): Promise<number> {
  const images = await listUnverifiedImages(deps.db);
  for (const image of images) if (!signal.aborted) await takeIn(deps, image, signal);
  return images.length;
}

async function takeIn(deps: ImageDeps, image: UnverifiedImage, signal: AbortSignal): Promise<void> {
  const { db, log } = deps;
  const path = imagePath(deps.layout, image);
  await reportImage(db, image.id, { state: "verifying" });
  deps.tell({ topic: "image" });
  try {
    await fetchIncoming(deps.layout, image);
    const { sizeBytes, sha256 } = await deps.storage.verifyArchive(path, signal);
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

/** Removes what lies on the box of images that were deleted, and uploads that nobody enrolled. */

import { lstat, readdir, rm } from "node:fs/promises";
import type { Db } from "../db/client.ts";
import {
  type DeletedImage,
  listAwaitedFiles,
  listDeletedImages,
  listImageIds,
} from "../db/queries/node-images.ts";
import type { DiId } from "../domain/ids.ts";
import type { Layout } from "../domain/node/layout.ts";
import { type BoxFile, parseArchiveName, planRubbish } from "../domain/node/plan-rubbish.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Storage } from "../storage/storage.ts";

export type SweepDeps = {
  readonly db: Db;
  readonly storage: Pick<Storage, "listBases" | "removeBase">;
  readonly layout: Layout;
  /** Images that desktops of this box run on, or are being started from. */
  readonly listUsed: () => ReadonlySet<DiId>;
  readonly clock: Clock;
  readonly log: Log;
};

/** No start takes longer than that until its image is told. */
const SETTLED_MS = 15 * 60_000;

/** Returns the images that lie here unknown to the database. Throws when the database is away. */
export async function sweepImages(deps: SweepDeps, signal: AbortSignal): Promise<readonly DiId[]> {
  const { db, layout, storage, log } = deps;
  const nowMs = deps.clock.nowMs();
  // What lies there is read before what the database says, so that what comes in between is known.
  const archives = await listFiles(layout.imagesFolder, nowMs);
  const incoming = await listFiles(layout.incomingFolder, nowMs);
  const bases = (await storage.listBases()).map(({ diId, changedAt }) => ({
    diId,
    ageMs: nowMs - changedAt.getTime(),
  }));
  const here = [
    ...archives.map(({ name }) => parseArchiveName(name)?.diId),
    ...bases.map(({ diId }) => diId),
  ];
  const known = await listImageIds(db);
  const unknown = here.filter((diId) => diId !== undefined && !known.has(diId));
  const found = await listDeletedImages(
    db,
    [...new Set(unknown)].filter((diId) => diId !== undefined),
  );
  const awaited = await listAwaitedFiles(db);
  const deleted = new Map([...found].map(([diId, { fileName }]) => [diId, fileName]));
  const used = new Set([...deps.listUsed(), ...listPerhapsUsed(layout, found)]);
  const rubbish = planRubbish({ archives, bases, incoming, known, deleted, awaited, used });
  const remove = async (what: string, act: () => Promise<void>) => {
    if (signal.aborted) return;
    try {
      await act();
      log.info("image-rubbish-removed", { what });
    } catch (error) {
      // The next sweep finds it again.
      log.warn("image-rubbish-not-removed", { what, error });
    }
  };
  for (const diId of rubbish.bases) await remove(`base ${diId}`, () => storage.removeBase(diId, signal));
  for (const name of rubbish.archives) await remove(name, () => rm(`${layout.imagesFolder}/${name}`));
  for (const name of rubbish.incoming)
    await remove(`incoming ${name}`, () => rm(`${layout.incomingFolder}/${name}`));
  return rubbish.strangers;
}

/**
 * What boxes share may be what another one is starting a desktop from, which it has not told yet: the deletion was
 * refused for all that was told.
 */
function listPerhapsUsed(layout: Layout, deleted: ReadonlyMap<DiId, DeletedImage>): readonly DiId[] {
  if (layout.sharedFolder === layout.stateFolder) return [];
  return [...deleted].flatMap(([diId, { deletedMs }]) => (deletedMs < SETTLED_MS ? [diId] : []));
}

/** Plain files only: nothing is followed, no folder touched. */
async function listFiles(folder: string, nowMs: number): Promise<readonly BoxFile[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.map(async (name): Promise<BoxFile[]> => {
    const found = await lstat(`${folder}/${name}`).catch(() => undefined);
    if (found?.isFile() !== true) return [];
    // A file's own time may be anything; the change of its inode is when it came here.
    return [{ name, ageMs: nowMs - Math.max(found.mtimeMs, found.ctimeMs) }];
  });
  return (await Promise.all(files)).flat();
}

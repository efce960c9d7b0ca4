/**
 * What of images lies on a box for nobody: files and base trees of images that were deleted, and uploads that
 * nobody enrolled. Pure; errs on the side of keeping. That an id isn't in the database is not enough: a database
 * restored from a backup, or the wrong one, would have the box throw away every image it has. So only what this
 * database says to have deleted goes; the rest is told of.
 */

import { type DiId, parseId } from "../ids.ts";

export type BoxFile = { readonly name: string; readonly ageMs: number };

export type RubbishFacts = {
  /** Plain files of the images folder. */
  readonly archives: readonly BoxFile[];
  readonly bases: readonly { readonly diId: DiId; readonly ageMs: number }[];
  /** Plain files of the incoming folder. */
  readonly incoming: readonly BoxFile[];
  /** Images that there are. */
  readonly known: ReadonlySet<DiId>;
  /** Images that were deleted, with their files' names where those are on record. */
  readonly deleted: ReadonlyMap<DiId, string | undefined>;
  /** File names of images that have yet to be taken in. */
  readonly awaited: ReadonlySet<string>;
  /** Images that desktops of this box run on, or are being started from. */
  readonly used: ReadonlySet<DiId>;
};

export type Rubbish = {
  readonly archives: readonly string[];
  readonly bases: readonly DiId[];
  readonly incoming: readonly string[];
  /** Images that lie here although this database has never heard of them. Left alone. */
  readonly strangers: readonly DiId[];
};

/** Younger things may belong to a change that is only half visible yet. */
export const LEAST_AGE_MS = 5 * 60_000;
export const UPLOAD_KEPT_MS = 24 * 60 * 60_000;

export function planRubbish(facts: RubbishFacts): Rubbish {
  const { known, deleted, used, awaited } = facts;
  const isOld = ({ ageMs }: { readonly ageMs: number }) => ageMs >= LEAST_AGE_MS;
  const archives = facts.archives.flatMap((file) => {
    const image = parseArchiveName(file.name);
    return image === undefined || !isOld(file) ? [] : [{ ...file, ...image }];
  });
  const bases = facts.bases.filter(isOld);
  const mayGo = (diId: DiId) => deleted.has(diId) && !known.has(diId) && !used.has(diId);
  const isStranger = (diId: DiId) => !deleted.has(diId) && !known.has(diId);
  return {
    archives: archives
      .filter(({ diId, fileName }) => mayGo(diId) && isOf(deleted.get(diId), fileName))
      .map(({ name }) => name),
    bases: bases.filter(({ diId }) => mayGo(diId)).map(({ diId }) => diId),
    incoming: facts.incoming
      .filter(({ name, ageMs }) => ageMs >= UPLOAD_KEPT_MS && !awaited.has(name))
      .map(({ name }) => name),
    strangers: [...new Set([...archives, ...bases].map(({ diId }) => diId))]
      .filter(isStranger)
      .sort((one, other) => one - other),
  };
}

/** What lies beside an image's file while it is fetched, and the lock. */
const ENDINGS = ["", ".part", ".part.json"];
const LOCK = "lock";

function isOf(enrolled: string | undefined, fileName: string): boolean {
  return enrolled === undefined || fileName === LOCK || ENDINGS.some((end) => enrolled + end === fileName);
}

/** `<id>-<name of the enrolled file>`, or the image's lock; undefined for what we can't have named so. */
export function parseArchiveName(
  name: string,
): { readonly diId: DiId; readonly fileName: string } | undefined {
  const [, id = "", fileName = ""] =
    /^(\d+)-([A-Za-z0-9][A-Za-z0-9._-]*)$/.exec(name) ?? /^\.(\d+)\.(lock)$/.exec(name) ?? [];
  const diId = parseId<DiId>(id);
  return diId === undefined || fileName === "" ? undefined : { diId, fileName };
}

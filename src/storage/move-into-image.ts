/**
 * A kept folder moves into a file-system image of its own. At every moment there is one whole copy under its
 * name: the image gets its name when all is in it and on the disk, and only then the folder is put aside. It
 * is not removed: that is for a person who has looked.
 */

import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, parse } from "node:path";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { freeBytes } from "./free-bytes.ts";
import { fillImage, syncPath } from "./image-file.ts";
import { isThere } from "./is-there.ts";
import { holderPath, mountImage } from "./mount-image.ts";
import type { StorageContext } from "./storage.ts";
import { unmountAll } from "./unmount-all.ts";

export type Move = {
  /** What moves, and the folder of the image that receives it; the image's root when empty. */
  readonly parts: readonly { readonly folder: string; readonly inside: string }[];
  readonly image: string;
  readonly sizeMb: number;
  /** Where it is mounted meanwhile. */
  readonly mountPoint: string;
};

export const COPY_TIMEOUT_MS = 60 * 60_000;
const MB = 2 ** 20;

/** A folder larger than the limit gets an image that holds it. `storage-full` leaves all as it was. */
export async function moveIntoImage(context: StorageContext, move: Move): Promise<void> {
  const { image, mountPoint } = move;
  const parts = await listPresent(move.parts);
  const doing = `Moving ${parts.map(({ folder }) => folder).join(", ")} into a file system of its own`;
  const contentMb = await measureMb(parts.map(({ folder }) => folder));
  const sizeMb = fits(contentMb, move.sizeMb) ? move.sizeMb : Math.ceil(contentMb * 1.15) + 64;
  if ((await freeBytes(dirname(image))) < (contentMb + 64) * MB + context.reserveBytes)
    throw new AppError("storage-full", `${doing}: there is no room for ${contentMb} MB. Make room there.`);
  const temporary = `${image}.moving`;
  try {
    await rm(temporary, { force: true });
    await fillImage(temporary, { sizeMb, allocatedMb: context.allocatedMb });
    await mountImage(context, { path: temporary, mountPoint, sizeMb });
    try {
      for (const { folder, inside } of parts) {
        const target = inside === "" ? mountPoint : `${mountPoint}/${inside}`;
        await mkdir(target, { recursive: true });
        // The image's root gets the content, not the folder's own mode: it stays shut.
        const source = inside === "" ? ["--", `${folder}/.`] : ["-T", "--", folder];
        const copy = ["/usr/bin/cp", "-a", ...source, target];
        await runOk(doing, copy, { timeoutMs: COPY_TIMEOUT_MS });
      }
      await runOk(doing, ["/usr/bin/sync", "-f", mountPoint], { timeoutMs: COPY_TIMEOUT_MS });
    } finally {
      await unmountAll(context, mountPoint);
    }
    await syncPath(temporary);
    await rename(temporary, image);
    await syncPath(dirname(image));
  } finally {
    for (const left of [temporary, holderPath(temporary)]) await rm(left, { force: true });
  }
  for (const { folder } of parts) await putFolderAside(folder);
}

/** A file system needs room for itself: inodes, journal, the unused ends of blocks. */
export function fits(contentMb: number, sizeMb: number): boolean {
  return contentMb * 1.1 + 16 <= sizeMb;
}

/** The folder, or what a crash left beside the image that has its content. */
export async function putFolderAside(folder: string): Promise<void> {
  await rename(folder, await findAsideName(folder));
}

/** A name beside it that nothing has. */
export async function findAsideName(path: string): Promise<string> {
  const { dir, name, ext } = parse(path);
  let aside = `${dir}/moved-${name}${ext}`;
  for (let count = 2; await isThere(aside); count++) aside = `${dir}/moved-${name}-${count}${ext}`;
  return aside;
}

async function listPresent(parts: Move["parts"]): Promise<Move["parts"]> {
  const present = await Promise.all(parts.map(async (part) => ((await isThere(part.folder)) ? [part] : [])));
  return present.flat();
}

export async function measureMb(folders: readonly string[]): Promise<number> {
  const text = await runOk("measuring what moves", ["/usr/bin/du", "-scm", "--", ...folders], {
    timeoutMs: COPY_TIMEOUT_MS,
  });
  return Number.parseInt(text.trim().split("\n").at(-1) ?? "", 10);
}

/** The first content of a folder that a desktop keeps: what its image has there. */

import { lstat, mkdir, rename } from "node:fs/promises";
import type { KeptBind } from "../domain/image/kept-folder.ts";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { isThere } from "./is-there.ts";
import { removeTree } from "./remove-tree.ts";

export type Seed = { readonly base: string; readonly store: string; readonly bind: KeptBind };

/** Returns the folder. Under its name only when all is in it. */
export async function seedKept({ base, store, bind }: Seed): Promise<string> {
  const folder = `${store}/${bind.name}`;
  if (await isThere(folder)) return folder;
  const hasContent = await checkPlain(base, bind.path);
  await mkdir(store, { recursive: true, mode: 0o700 });
  const temporary = `${store}/.${bind.name}.new`;
  await removeTree(temporary);
  if (hasContent)
    await runOk(`filling ${folder}`, ["/usr/bin/cp", "-a", "-T", "--", `${base}${bind.path}`, temporary]);
  else await mkdir(temporary, { mode: 0o755 });
  await rename(temporary, folder);
  return folder;
}

/** False when the image has no such folder. A link on the way would lead out of the image, to the box's own files. */
async function checkPlain(base: string, path: string): Promise<boolean> {
  let place = base;
  for (const part of path.slice(1).split("/")) {
    place = `${place}/${part}`;
    const found = await lstat(place).catch(() => undefined);
    if (found === undefined) return false;
    if (!found.isDirectory())
      throw new AppError(
        "bad-input",
        `Keeping ${path}: ${place.slice(base.length)} is no folder in this image, but a link or a file. Keep the folder it leads to, or none.`,
      );
  }
  return true;
}

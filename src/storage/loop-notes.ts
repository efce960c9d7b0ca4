/**
 * Which loop devices are being let go of, in files that outlive the process that does it: one that still stands
 * on its image after the last unmount can't be found otherwise, since nothing else tells whose it is.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Layout } from "../domain/node/layout.ts";

/** A loop device as long as it stands on one file: attached again, it has another sequence. */
export type Attachment = {
  readonly name: string;
  readonly sequence: string;
  /** Where its file system was mounted. */
  readonly mountPoint: string;
};

/** In the run folder, which goes with the machine's end as the devices do. */
function folderOf({ runFolder }: Layout): string {
  return `${runFolder}/loops`;
}

function fileOf(layout: Layout, { name, sequence }: Attachment): string {
  return `${folderOf(layout)}/${name}-${sequence}`;
}

export async function noteLoop(layout: Layout, attachment: Attachment): Promise<void> {
  try {
    await mkdir(folderOf(layout), { recursive: true, mode: 0o700 });
    await writeFile(fileOf(layout, attachment), JSON.stringify(attachment));
  } catch {
    // A run folder that is full must not keep a desktop mounted; only a crash just now would miss the note.
  }
}

export async function forgetLoop(layout: Layout, attachment: Attachment): Promise<void> {
  await rm(fileOf(layout, attachment), { force: true });
}

/** Those that were mounted at or below `folder`. */
export async function listNotedLoops(layout: Layout, folder: string): Promise<readonly Attachment[]> {
  const names = existsSync(folderOf(layout)) ? await readdir(folderOf(layout)).catch((): string[] => []) : [];
  const notes = await Promise.all(names.map((name) => readNote(`${folderOf(layout)}/${name}`)));
  return notes
    .flatMap((note) => note ?? [])
    .filter(({ mountPoint }) => mountPoint === folder || mountPoint.startsWith(`${folder}/`));
}

async function readNote(path: string): Promise<Attachment | undefined> {
  try {
    const { name, sequence, mountPoint } = JSON.parse(await readFile(path, "utf8"));
    const isWhole = [name, sequence, mountPoint].every((one) => typeof one === "string");
    return isWhole ? { name, sequence, mountPoint } : undefined;
  } catch {
    // Cut short by a crash, or forgotten just now.
    return undefined;
  }
}

/**
 * A disk of the benchmark's own: ext4 with a journal, as Debian's installer makes it, in a file. On a file system without a
 * journal, which rented machines may have, the kernel looks through all that was deleted in the last minute for each file
 * that is made: rounds that follow one another would measure that.
 */

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { run, runOk } from "../src/lib/run.ts";

/** Written blocks alone take room. */
const SIZE_GB = 16;
/** A default for its size; fewer would do, more take longer to lay out. */
const MOST_FILES = 1_000_000;

export async function makeOwnDisk(folder: string): Promise<void> {
  const file = `${folder}.img`;
  await removeOwnDisk(folder);
  mkdirSync(folder, { recursive: true });
  await runOk("making a disk", ["truncate", "-s", `${SIZE_GB}G`, file]);
  const atOnce = "lazy_itable_init=0,lazy_journal_init=0,assume_storage_prezeroed=1";
  const words = ["-q", "-F", "-O", "has_journal", "-N", `${MOST_FILES}`, "-E", atOnce, file];
  await runOk("making its file system", ["mkfs.ext4", ...words], { timeoutMs: 120_000 });
  await runOk("mounting the disk", ["mount", "-o", "loop", file, folder]);
}

/** Where there is none, nothing. */
export async function removeOwnDisk(folder: string): Promise<void> {
  const file = `${folder}.img`;
  if (!existsSync(file)) return;
  const isMounted = () => readFileSync("/proc/self/mountinfo", "utf8").includes(` ${folder} `);
  if (isMounted()) await run(["umount", folder]);
  // Somebody's descriptor in it must not keep the next run from beginning.
  if (isMounted()) await runOk("unmounting the disk", ["umount", "-l", folder]);
  rmSync(file, { force: true });
}

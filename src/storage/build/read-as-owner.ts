/**
 * What a recipe's folder holds, read with the rights of whom the folder belongs to: root builds for people, and a
 * link that takes a file's place between two looks would lead to what only root may read.
 */

import { lstat } from "node:fs/promises";
import { AppError } from "../../lib/errors.ts";
import { CLEAN_ENV } from "../../lib/run.ts";

const TIMEOUT_MS = 10 * 60_000;

/** Writes what `command` says, run in the folder by its owner, to the file `to`. */
export async function readAsOwner(folder: string, command: readonly string[], to: string): Promise<void> {
  const { uid, gid } = await lstat(folder);
  const owner = ["/usr/bin/setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--inh-caps=-all"];
  const child = Bun.spawn([...owner, "--", ...command], {
    // Entered by us: the owner needn't be able to come here by the path.
    cwd: folder,
    env: { ...CLEAN_ENV },
    stdin: "ignore",
    stdout: Bun.file(to),
    stderr: "pipe",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const [said, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exitCode === 0) return;
  const last = said.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  throw new AppError("bad-input", `reading the recipe ${folder} as its owner (id ${uid}): ${last}`);
}

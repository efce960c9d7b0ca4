import { lstat } from "node:fs/promises";
import { runOk } from "../lib/run.ts";

/** Removes a folder with all in it, if it is there. Never crosses into another file system, whatever is mounted below. */
export async function removeTree(path: string): Promise<void> {
  // Mostly it isn't there, and a person waits.
  const isMissing = await lstat(path).then(
    () => false,
    (cause: NodeJS.ErrnoException) => cause.code === "ENOENT",
  );
  if (isMissing) return;
  await runOk(`removing ${path}`, ["/usr/bin/rm", "-rf", "--one-file-system", "--", path], {
    timeoutMs: 10 * 60_000,
  });
}

import { runOk } from "../lib/run.ts";

/** Removes a folder with all in it, if it is there. Never crosses into another file system, whatever is mounted below. */
export async function removeTree(path: string): Promise<void> {
  await runOk(`removing ${path}`, ["/usr/bin/rm", "-rf", "--one-file-system", "--", path], {
    timeoutMs: 10 * 60_000,
  });
}

/**
 * A user namespace with a map of our choice, kept alive by a sleeping process: the handle that id-mapped
 * binds and confined unpacking need. As root we write the maps ourselves; /etc/subuid plays no part.
 */

import { closeSync, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { IdRange } from "../domain/node/id-range.ts";
import { AppError } from "../lib/errors.ts";
import { CLEAN_ENV } from "../lib/run.ts";

export type UserNamespace = {
  /** Process inside, for programs that enter by pid. */
  readonly pid: number;
  readonly descriptor: number;
};

const DEADLINE_MS = 5_000;

/** Makes the namespace for as long as `use` runs. */
export async function withUserNamespace<T>(
  range: IdRange,
  use: (namespace: UserNamespace) => Promise<T>,
): Promise<T> {
  // cat answers only once it runs inside, so nothing has to be polled; it ends when our end of the pipe does.
  const child = Bun.spawn(["/usr/bin/unshare", "--user", "/usr/bin/cat"], {
    env: { ...CLEAN_ENV },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  let descriptor: number | undefined;
  try {
    child.stdin.write("\n");
    child.stdin.flush();
    const reader = child.stdout.getReader();
    const first = await reader.read();
    reader.releaseLock();
    if (first.done) throw new AppError("driver-failed", "making a user namespace: unshare could not");
    clearTimeout(timer);
    const map = `0 ${range.first} ${range.count}\n`;
    await writeFile(`/proc/${child.pid}/uid_map`, map);
    await writeFile(`/proc/${child.pid}/gid_map`, map);
    descriptor = openSync(`/proc/${child.pid}/ns/user`, "r");
    return await use({ pid: child.pid, descriptor });
  } finally {
    clearTimeout(timer);
    if (descriptor !== undefined) closeSync(descriptor);
    child.kill("SIGKILL");
    await child.exited;
  }
}

/**
 * The half of the right to run that lies on the shared storage: one small file a box with a number that grows.
 * Written through, so that the others see it; opened anew for each reading, because that is when NFS asks its
 * server. Both may hang with the storage: callers never wait for them without a deadline.
 */

import { constants } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import type { NodeId } from "../../domain/ids.ts";

export type Counter = { readonly count: number; readonly epoch: number; readonly boxId: string };

/** Fixed, so that a shorter text never leaves the end of a longer one behind. */
const SIZE_BYTES = 512;

export function counterFile(leasesFolder: string, nodeId: NodeId): string {
  return `${leasesFolder}/${nodeId}`;
}

/** Returns when the storage has it. */
export async function writeCounter(path: string, counter: Counter): Promise<void> {
  const bytes = Buffer.alloc(SIZE_BYTES, " ");
  bytes.write(`${JSON.stringify(counter)}\n`);
  const { O_CREAT, O_WRONLY, O_DSYNC } = constants;
  const file = await open(path, O_CREAT | O_WRONLY | O_DSYNC, 0o600).catch(async (cause: unknown) => {
    // The first box of a site finds no folder yet.
    if (!isMissing(cause)) throw cause;
    await mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    return await open(path, O_CREAT | O_WRONLY | O_DSYNC, 0o600);
  });
  try {
    await file.write(bytes, 0, SIZE_BYTES, 0);
  } finally {
    await file.close();
  }
}

/** What stands there, to be compared and nothing else; undefined when the box has never written one. */
export async function readCounter(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((cause: unknown) => {
    if (isMissing(cause)) return undefined;
    throw cause;
  });
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && Reflect.get(cause, "code") === "ENOENT";
}

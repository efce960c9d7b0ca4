/** Loop devices after the last unmount: which still stand on their images, and how to get at what keeps them there. */

import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { run } from "../lib/run.ts";
import type { Attachment } from "./loop-notes.ts";

const MOUNT_MS = 10_000;

export async function isAttached({ name, sequence }: Attachment): Promise<boolean> {
  // The file is there only while the device stands on one.
  const file = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => "");
  return file !== "" && (await readSequence(name)) === sequence;
}

/** Kernels before 5.15 don't count: then the name alone must do. */
export async function readSequence(name: string): Promise<string> {
  return (await readFile(`/sys/block/${name}/diskseq`, "utf8").catch(() => "")).trim();
}

/**
 * Mounts once more what has no mount and isn't gone: a file system that was frozen while it was unmounted. The
 * kernel then gives us the very one that it still has, without reading or writing the image. False when there is
 * none, or it can't be mounted.
 */
export async function remountOrphan(attachment: Attachment): Promise<boolean> {
  const { name, mountPoint } = attachment;
  const path = `/dev/${name}`;
  // Held, so that it can't come to stand on another file.
  const device = openSync(path, "r");
  try {
    // Without a living file system the kernel would read a new one, and replay its journal.
    if (!(await isAttached(attachment)) || !existsSync(`/sys/fs/ext4/${name}`)) return false;
    await mkdir(mountPoint, { recursive: true, mode: 0o700 });
    // One that halted after an error is read-only, and stays what it is.
    for (const how of ["rw", "ro"]) {
      const options = ["--no-canonicalize", "-t", "ext4", "-o", `${how},nodev,nosuid`];
      const command = ["/usr/bin/mount", ...options, path, mountPoint];
      if ((await run(command, { timeoutMs: MOUNT_MS })).exitCode === 0) return true;
    }
    return false;
  } finally {
    closeSync(device);
  }
}

/**
 * Copies a stranger's disk image into one of ours. QEMU's program reads all of its tables, and follows what they
 * name: so it sees the two files and programs, nothing else of this machine, and has no right but that the files
 * are its own.
 */

import { open } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { isFullDisk } from "./broken-image.ts";

export type DiskCopy = {
  readonly from: string;
  readonly format: "qcow2" | "raw";
  /** Becomes a qcow2; replaced when it is there. */
  readonly to: string;
  /** It becomes no larger: a megabyte of an image can unfold to terabytes. */
  readonly mostBytes: number;
  readonly timeoutMs: number;
  /** Ends it as a failure. */
  readonly signal?: AbortSignal;
};

const MOST_MEMORY_BYTES = 2048 * 2 ** 20;
/** Instead of SIGXFSZ, since our processes and so their children ignore that. */
const TOO_LARGE = "File too large";

/**
 * `storage-full` when the copy would be larger than it may be or than the disk, else `driver-failed` with what
 * qemu-img said; then what is at `to` is worth nothing.
 */
export async function convertDisk(doing: string, copy: DiskCopy): Promise<void> {
  const { format, to, timeoutMs, signal } = copy;
  const made = await open(to, "w", 0o600);
  await made.close();
  const command = ["/usr/bin/qemu-img", "convert", "-f", format, "-O", "qcow2", "/from", "/to"];
  const limits = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
  const { exitCode, stderr } = await run([...confinement(copy), ...command], limits);
  if (exitCode === 0) return;
  if (stderr.includes(TOO_LARGE) || isFullDisk(stderr))
    throw new AppError("storage-full", `${doing}: there is no room for all of it.`);
  const said = stderr.trim().slice(-600) || "no message";
  throw new AppError("driver-failed", `${doing}: qemu-img ended with ${exitCode}: ${said}`);
}

function confinement({ from, to, mostBytes }: DiskCopy): readonly string[] {
  return [
    ...[
      "/usr/bin/choom",
      "-n",
      "500",
      "--",
      "/usr/bin/prlimit",
      `--as=${MOST_MEMORY_BYTES}`,
      `--fsize=${mostBytes}`,
      "--core=0",
      "--",
    ],
    ...["/usr/bin/bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"],
    ...["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--dev", "/dev"],
    ...["--ro-bind", from, "/from", "--bind", to, "/to", "--chdir", "/", "--"],
  ];
}

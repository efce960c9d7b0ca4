/**
 * Copies a stranger's disk image into one of ours. QEMU's program reads all of its tables, and follows what they
 * name: so it sees the two files and programs, nothing else of this machine, and has no right but that the files
 * are its own.
 */

import { open } from "node:fs/promises";
import { runOk } from "../lib/run.ts";

export type DiskCopy = {
  readonly from: string;
  readonly format: "qcow2" | "raw";
  /** Becomes a qcow2; replaced when it is there. */
  readonly to: string;
  readonly timeoutMs: number;
};

const MOST_MEMORY_BYTES = 2048 * 2 ** 20;

/** `driver-failed` with what qemu-img said; then what is at `to` is worth nothing. */
export async function convertDisk(doing: string, { from, format, to, timeoutMs }: DiskCopy): Promise<void> {
  const made = await open(to, "w", 0o600);
  await made.close();
  const command = ["/usr/bin/qemu-img", "convert", "-f", format, "-O", "qcow2", "/from", "/to"];
  await runOk(doing, [...confinement(from, to), ...command], { timeoutMs });
}

function confinement(from: string, to: string): readonly string[] {
  return [
    ...[
      "/usr/bin/choom",
      "-n",
      "500",
      "--",
      "/usr/bin/prlimit",
      `--as=${MOST_MEMORY_BYTES}`,
      "--core=0",
      "--",
    ],
    ...["/usr/bin/bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"],
    ...["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--dev", "/dev"],
    ...["--ro-bind", from, "/from", "--bind", to, "/to", "--chdir", "/", "--"],
  ];
}

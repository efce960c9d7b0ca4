/** Finds out which init an image brings. Looks at names only: nothing of the image is opened or followed on the host. */

import { readlinkSync } from "node:fs";
import { basename } from "node:path";

export type InitKind = "systemd" | "ours";

/** Images in which /sbin/init is systemd's own link to itself want it; all others get our script. */
export function detectInit(rootFolder: string): InitKind {
  for (const folder of ["usr/sbin", "sbin"]) {
    const target = readLink(`${rootFolder}/${folder}/init`);
    if (target !== undefined) return basename(target) === "systemd" ? "systemd" : "ours";
  }
  return "ours";
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // There is none, or it is a program.
    return undefined;
  }
}

/** Whether a running first process is systemd, by /proc/PID/comm: what it calls itself decides only how it is asked to end. */
export function isSystemd(comm: string): boolean {
  return comm.trim() === "systemd";
}

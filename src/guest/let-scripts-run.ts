/**
 * nxagent starts scripts of ours that lie below /run. Debian's initramfs mounts that without the right to run programs, so in a
 * virtual machine nobody could share a folder, and closing the window would ask nobody. The folder becomes a mount of its own that
 * has the right; it is root's, as what lies in it.
 */

import { readFileSync } from "node:fs";
import { AppError } from "../lib/errors.ts";

export type MountDeps = {
  /** As /proc/self/mounts. */
  readonly readMounts: () => string;
  /** Throws when it can't be done. */
  readonly mount: (...words: readonly string[]) => void;
};

/** Does nothing where scripts run already. May be called again. */
export function letScriptsRun(folder: string, { readMounts, mount }: MountDeps = SYSTEM): void {
  if (!isKeptFromRunning(readMounts(), folder)) return;
  mount("--bind", folder, folder);
  mount("-o", "remount,bind,exec,nosuid,nodev", folder);
}

/** Whether what lies in `folder` can't be run, by the mount that it is on. */
export function isKeptFromRunning(mounts: string, folder: string): boolean {
  let found = { length: -1, options: "" };
  for (const line of mounts.split("\n")) {
    const [, place = "", , options = ""] = line.split(" ");
    const covers = place === "/" || folder === place || folder.startsWith(`${place}/`);
    // Of several at one place the last one counts.
    if (covers && place !== "" && place.length >= found.length) found = { length: place.length, options };
  }
  return found.options.split(",").includes("noexec");
}

const SYSTEM: MountDeps = {
  readMounts: () => readFileSync("/proc/self/mounts", "utf8"),
  mount: (...words) => {
    const { exitCode, stderr } = Bun.spawnSync(["mount", ...words], { stdin: "ignore", stdout: "ignore" });
    if (exitCode !== 0)
      throw new AppError("guest-failed", `letting scripts run failed: mount ${words.join(" ")}: ${stderr}`);
  },
};

/** Kernel settings that desktops need. They are the machine's, not the instance's, so they are only ever raised. */

import { readFile, writeFile } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

/**
 * One counter for all id-mapped containers together: a desktop takes four, the kernel's default is 128, and
 * with none left programs fail in ways that name anything but this. So many that one desktop, bounded by its
 * memory, can't use them up for all: an instance takes kernel memory that counts as the desktop's.
 */
const INOTIFY_INSTANCES = { path: "/proc/sys/fs/inotify/max_user_instances", least: 1_048_576 };
const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

export async function applyKernelSettings(log: Log): Promise<void> {
  if (!(await raise(IP_FORWARD, 1)))
    throw new AppError(
      "driver-failed",
      `Setting up the desktop network: ${IP_FORWARD} can't be set to 1, so desktops would reach nothing. Set it on the host.`,
    );
  const { path, least } = INOTIFY_INSTANCES;
  if (!(await raise(path, least))) log.warn("kernel-setting-refused", { path, wanted: least });
}

/** False when the kernel refused, as it does inside some containers. */
async function raise(path: string, least: number): Promise<boolean> {
  if (Number(await readFile(path, "utf8")) >= least) return true;
  try {
    await writeFile(path, `${least}\n`);
    return true;
  } catch {
    // Read-only /proc/sys: the caller decides whether that matters.
    return false;
  }
}

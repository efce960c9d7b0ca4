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
/**
 * Networks that are made from now on have a table of connections of their own. In the one that all share, the kernel goes
 * through a place for each 64 kB of the machine's memory to tell who listens in a desktop: 2 ms, where others use the
 * caches 20, and once a start. So many places as serve some thousand connections. A kernel before 6.1 has but the one.
 */
const CHILD_CONNECTIONS = { path: "/proc/sys/net/ipv4/tcp_child_ehash_entries", wanted: 1024 };
const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

export async function applyKernelSettings(log: Log): Promise<void> {
  if (!(await raise(IP_FORWARD, 1)))
    throw new AppError(
      "driver-failed",
      `Setting up the desktop network: ${IP_FORWARD} can't be set to 1, so desktops would reach nothing. Set it on the host.`,
    );
  const { path, least } = INOTIFY_INSTANCES;
  if (!(await raise(path, least))) log.warn("kernel-setting-refused", { path, wanted: least });
  await giveOwnTables();
}

/** Whoever has chosen a size for the machine's networks keeps it. */
async function giveOwnTables(): Promise<void> {
  const { path, wanted } = CHILD_CONNECTIONS;
  try {
    if (Number(await readFile(path, "utf8")) === 0) await writeFile(path, `${wanted}\n`);
  } catch {
    // A kernel that doesn't have it, or a read-only /proc/sys: a start takes longer, and is none the worse.
  }
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

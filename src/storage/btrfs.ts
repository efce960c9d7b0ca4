/** Subvolumes of btrfs: a snapshot is made at once and takes no room, and a quota group holds its limit. */

import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { runOk } from "../lib/run.ts";

const BTRFS = "/usr/bin/btrfs";
// From linux/magic.h and btrfs-progs.
const BTRFS_MAGIC = 0x9123683e;
const SUBVOLUME_INODE = 256;

export async function isOnBtrfs(path: string): Promise<boolean> {
  return (await statfs(path)).type === BTRFS_MAGIC;
}

export async function isSubvolume(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.ino === SUBVOLUME_INODE && (await isOnBtrfs(path));
}

export async function makeSubvolume(path: string): Promise<void> {
  await runOk(`making the subvolume ${path}`, [BTRFS, "subvolume", "create", path]);
}

export async function snapshotSubvolume(source: string, target: string): Promise<void> {
  await runOk(`making a snapshot of ${source}`, [BTRFS, "subvolume", "snapshot", source, target]);
}

/** Most that it may hold besides what it shares with others. */
export async function limitSubvolume(path: string, sizeMb: number): Promise<void> {
  const doing = `limiting ${path} to ${sizeMb} MB`;
  // May be said again; nothing is counted before the first time.
  await runOk(doing, [BTRFS, "quota", "enable", dirname(path)]);
  await runOk(doing, [BTRFS, "qgroup", "limit", "-e", `${sizeMb}M`, path]);
}

/** With its quota group, which would stay otherwise. */
export async function deleteSubvolume(path: string): Promise<void> {
  const { dev } = await stat(path);
  await runOk(`removing the subvolume ${path} (device ${dev})`, [BTRFS, "subvolume", "delete", path]);
}

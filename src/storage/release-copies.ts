/**
 * Lets go of a desktop's file system in other mount namespaces. Whoever makes one while a desktop runs (the
 * building of an image, a service's sandbox) gets a copy of every mount of the box, and would keep a home open,
 * lock and all, for as long as it lives, though it never looks at it.
 */

import { closeSync, openSync, readlinkSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { run } from "../lib/run.ts";
import type { Libc } from "./libc.ts";
import { type Mount, parseMountinfo } from "./mountinfo.ts";

/** From linux/nsfs.h. */
const NS_GET_USERNS = 0xb701;
const UMOUNT_MS = 5_000;

export type MountCopy = {
  readonly pid: number;
  readonly program: string;
  readonly mountPoints: readonly string[];
};

export type Copied = {
  /** Loop devices whose file systems are let go of. */
  readonly loops: readonly string[];
  /** Overlays below it may stand on them. */
  readonly folder: string;
};

/** In every namespace that root made; returns who keeps them nevertheless. */
export async function releaseCopies(libc: Libc, copied: Copied): Promise<readonly MountCopy[]> {
  const kept: MountCopy[] = [];
  for (const copy of await listCopies(copied)) {
    // A person's own namespace could show us a program of theirs as umount.
    let isGone = isOwnedByUs(libc, copy.pid);
    if (isGone) for (const one of copy.mountPoints) isGone = (await unmountIn(copy.pid, one)) && isGone;
    if (!isGone) kept.push(copy);
  }
  return kept;
}

/** One process of each mount namespace but our own that has one of the devices mounted. */
async function listCopies({ loops, folder }: Copied): Promise<readonly MountCopy[]> {
  const seen = new Set([readLink("/proc/self/ns/mnt")]);
  const devices = new Set(loops.map((name) => `/dev/${name}`));
  const copies: MountCopy[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const namespace = readLink(`/proc/${name}/ns/mnt`);
    if (namespace === "" || seen.has(namespace)) continue;
    seen.add(namespace);
    // The process may end meanwhile, and its namespace with it.
    const mounts = parseMountinfo(await readFile(`/proc/${name}/mountinfo`, "utf8").catch(() => ""));
    if (!mounts.some(({ source }) => devices.has(source))) continue;
    const mountPoints = mounts.filter((mount) => devices.has(mount.source) || isOverlay(mount, folder));
    const program = (await readFile(`/proc/${name}/comm`, "utf8").catch(() => "")).trim();
    copies.push({
      pid: Number(name),
      program,
      mountPoints: mountPoints.map(({ mountPoint }) => mountPoint).toReversed(),
    });
  }
  return copies;
}

/** An overlay holds the file system of its layer, though its own source doesn't say so. */
function isOverlay({ fileSystem, mountPoint }: Mount, folder: string): boolean {
  return fileSystem === "overlay" && mountPoint.startsWith(`${folder}/`);
}

function isOwnedByUs(libc: Libc, pid: number): boolean {
  try {
    const namespace = openSync(`/proc/${pid}/ns/mnt`, "r");
    const owner = libc.ioctl(namespace, NS_GET_USERNS, 0);
    closeSync(namespace);
    if (owner < 0) return false;
    const isOurs = readLink(`/proc/self/fd/${owner}`) === readLink("/proc/self/ns/user");
    closeSync(owner);
    return isOurs && readLink(`/proc/${pid}/root`) === "/";
  } catch {
    // It has ended.
    return false;
  }
}

async function unmountIn(pid: number, mountPoint: string): Promise<boolean> {
  // The box's own umount enters: one that is looked for inside is whatever lies there under that name. It asks /proc about itself,
  // and where the namespace came with processes of its own, that /proc knows only those: so it becomes one of them, as long as
  // there are any.
  const enter = ["/usr/bin/nsenter", `--pid=/proc/${pid}/ns/pid_for_children`, "--"];
  const umount = [
    "/usr/bin/umount",
    `--namespace=/proc/${pid}/ns/mnt`,
    "--internal-only",
    "--no-canonicalize",
  ];
  for (const before of [enter, []])
    if ((await run([...before, ...umount, "--", mountPoint], { timeoutMs: UMOUNT_MS })).exitCode === 0)
      return true;
  return false;
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // A process that has ended, or a kernel's.
    return "";
  }
}

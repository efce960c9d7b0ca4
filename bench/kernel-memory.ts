/**
 * What the kernel holds for processes, by the charge of their control groups: page tables, stacks, sockets, objects.
 * Unlike the totals in /proc/meminfo it doesn't change with what else the machine does.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { sleep } from "../src/lib/wait.ts";

export type GroupRoot = {
  /** Folder below which groups are made. */
  readonly folder: string;
  readonly version: 1 | 2;
};

/** Charge of the group and all below. */
export function readChargeMb(group: string): number {
  const old = `${group}/memory.kmem.usage_in_bytes`;
  if (existsSync(old)) return Number(readFileSync(old, "utf8")) / 1e6;
  return parseKernelBytes(readFileSync(`${group}/memory.stat`, "utf8")) / 1e6;
}

/** Whether the kernel accounts the group's memory in this hierarchy. */
export function isAccounted(group: string): boolean {
  return existsSync(`${group}/memory.stat`);
}

/** Of version 2's memory.stat; its sockets' buffers are not in "kernel". */
export function parseKernelBytes(stat: string): number {
  const bytes = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  return bytes("kernel") + bytes("sock");
}

const FREEINGS = 4;
const FREE_MS = 500;

/**
 * Lets the kernel free the objects that nobody uses, such as names of files that were looked up once. What goes
 * frees others, and each only after a while: hence several times, until the charges stand still.
 */
export async function freeUnusedObjects(): Promise<void> {
  for (let i = 0; i < FREEINGS; i++) {
    writeFileSync("/proc/sys/vm/drop_caches", "2\n");
    await sleep(FREE_MS);
  }
}

/** Where memory is accounted: in a hierarchy of its own, or in the one of version 2. */
export function findMemoryRoot(mountPoint = "/sys/fs/cgroup"): GroupRoot {
  const old = `${mountPoint}/memory`;
  return existsSync(`${old}/memory.kmem.usage_in_bytes`)
    ? { folder: old, version: 1 }
    : { folder: mountPoint, version: 2 };
}

export type MemoryGroup = {
  readonly folder: string;
  /** False while a process is in it. */
  remove(): boolean;
};

export function makeMemoryGroup(name: string, root = findMemoryRoot()): MemoryGroup {
  const folder = `${root.folder}/${name}`;
  if (root.version === 2) writeFileSync(`${root.folder}/cgroup.subtree_control`, "+memory\n");
  mkdirSync(folder, { recursive: true });
  return { folder, remove: () => removeEmpty(folder) };
}

function removeEmpty(folder: string): boolean {
  if (readFileSync(`${folder}/cgroup.procs`, "utf8") !== "") return false;
  rmdirSync(folder);
  return true;
}

/** Whoever is started this way is in the group before it does anything else. */
export function enterGroup(folder: string): readonly string[] {
  return ["/bin/sh", "-c", 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"', "sh", folder];
}

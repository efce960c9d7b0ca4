/**
 * The control groups of desktops: the one place where the kernel tells what of a desktop is alive, and where
 * all of it can be killed at once. A desktop has three groups: `<instance>/c/<vm>` with its processes,
 * `<instance>/m/<vm>` with LXC's monitor, and `<instance>/s/<vm>` with lxc-start until it is done, so that a
 * start is seen even when the node that ordered it is gone. LXC repeats the first two in every hierarchy of
 * the old layout. A virtual machine has one group, `<instance>/q/<vm>`, with its QEMU.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { parseId, type VmId } from "../../domain/ids.ts";
import { findCgroupLayout } from "./find-cgroup-layout.ts";

export type CgroupPart = "container" | "monitor" | "starter" | "machine";

const FOLDERS = { container: "c", monitor: "m", starter: "s", machine: "q" } as const satisfies Record<
  CgroupPart,
  string
>;
/** Those of a container. */
export const CGROUP_PARTS: readonly CgroupPart[] = ["container", "monitor", "starter"];
export const MACHINE_PARTS: readonly CgroupPart[] = ["machine"];

export type CgroupTree = {
  readonly instance: string;
  /** Root of the version 2 hierarchy, which has the events and the kill switch. */
  readonly unified: string;
  /** Folders below which LXC makes groups, one a hierarchy; the unified one among them. */
  readonly roots: readonly string[];
};

/** Finds the host's layout (`findCgroupLayout`). */
export async function openCgroupTree(instance: string, mountPoint = "/sys/fs/cgroup"): Promise<CgroupTree> {
  const mountinfo = await readFile("/proc/self/mountinfo", "utf8");
  const initGroups = await readFile("/proc/1/cgroup", "utf8");
  return { instance, ...findCgroupLayout({ mountinfo, initGroups, mountPoint }) };
}

/** Folder of a desktop's group in the unified hierarchy. */
export function groupFolder(tree: CgroupTree, part: CgroupPart, vmId: VmId): string {
  return `${partFolder(tree, part)}/${vmId}`;
}

/** Where the groups of all desktops are. */
export function partFolder(tree: CgroupTree, part: CgroupPart): string {
  return `${tree.unified}/${tree.instance}/${FOLDERS[part]}`;
}

export async function ensurePartFolders(tree: CgroupTree, parts = CGROUP_PARTS): Promise<void> {
  for (const part of parts) await mkdir(partFolder(tree, part), { recursive: true });
  const parents = [tree.unified, `${tree.unified}/${tree.instance}`];
  for (const folder of [...parents, ...parts.map((part) => partFolder(tree, part))])
    await passControllersOn(folder);
}

/** With version 2 alone, a group has the controllers that its parents pass on; beside version 1 those are elsewhere. */
async function passControllersOn(folder: string): Promise<void> {
  const read = async (file: string) =>
    (await readFile(`${folder}/${file}`, "utf8").catch(() => "")).trim().split(" ");
  const [there, passed] = [await read("cgroup.controllers"), await read("cgroup.subtree_control")];
  const missing = ["cpu", "memory", "pids"].filter((one) => there.includes(one) && !passed.includes(one));
  if (missing.length > 0)
    await writeFile(`${folder}/cgroup.subtree_control`, missing.map((one) => `+${one}`).join(" "));
}

/** Every group folder of a desktop, in all hierarchies; by desktop. */
export async function listGroups(
  tree: CgroupTree,
  parts = CGROUP_PARTS,
): Promise<ReadonlyMap<VmId, readonly string[]>> {
  const parents = tree.roots.flatMap((root) =>
    parts.map((part) => `${root}/${tree.instance}/${FOLDERS[part]}`),
  );
  // The old layout has a dozen hierarchies, and each pass of the node's loop looks at all of them: at once.
  const listed = await Promise.all(parents.map((parent) => readdir(parent).catch((): string[] => [])));
  const groups = new Map<VmId, string[]>();
  for (const [index, parent] of parents.entries())
    for (const name of listed[index] ?? []) {
      const vmId = parseId<VmId>(name);
      if (vmId === undefined) continue;
      groups.set(vmId, [...(groups.get(vmId) ?? []), `${parent}/${name}`]);
    }
  return groups;
}

/** The group folders of one desktop, in all hierarchies. The kernel has them in memory, and no thread is needed. */
export function findGroups(tree: CgroupTree, parts: readonly CgroupPart[], vmId: VmId): readonly string[] {
  const folders = tree.roots.flatMap((root) =>
    parts.map((part) => `${root}/${tree.instance}/${FOLDERS[part]}/${vmId}`),
  );
  return folders.filter((folder) => existsSync(folder));
}

/**
 * Folders of the hierarchies in which a controller may be: in the old layout each controller has one of its own,
 * named after it.
 */
export function rootsOf(tree: CgroupTree, controller: string): readonly string[] {
  const isUnified = (root: string) => root === tree.unified || root.startsWith(`${tree.unified}/`);
  const isNamed = (root: string) => root.split("/").some((folder) => folder.split(",").includes(controller));
  const named = tree.roots.filter((root) => !isUnified(root) && isNamed(root));
  // The unified hierarchy has it, or a host has given its hierarchy another name.
  return named.length === 0 ? tree.roots : [...named, ...tree.roots.filter(isUnified)];
}

/** True while the group or one below has a process, be it frozen or stuck in the kernel; false when it is gone. */
export async function isPopulated(tree: CgroupTree, part: CgroupPart, vmId: VmId): Promise<boolean> {
  return /^populated 1$/m.test(readNow(`${groupFolder(tree, part, vmId)}/cgroup.events`));
}

/** A file of the kernel's own; empty where it isn't. To hand it to a thread costs ten times as much, and a start reads dozens. */
export function readNow(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // No such group, or it went just now.
    return "";
  }
}

/** Processes of the group itself and of all groups below. */
export async function listProcesses(
  tree: CgroupTree,
  part: CgroupPart,
  vmId: VmId,
): Promise<readonly number[]> {
  const pids: number[] = [];
  await walk(groupFolder(tree, part, vmId), async (folder) => {
    const text = await readFile(`${folder}/cgroup.procs`, "utf8").catch(() => "");
    for (const line of text.split("\n")) if (/^[1-9]\d*$/.test(line)) pids.push(Number(line));
  });
  return pids;
}

/**
 * Bounds how many groups a desktop may make below its own: each costs the host memory, and the time to remove
 * it. The hierarchies of the old layout know no such bound.
 */
export async function limitSubgroups(tree: CgroupTree, vmId: VmId, most: number): Promise<void> {
  writeFileSync(`${groupFolder(tree, "container", vmId)}/cgroup.max.descendants`, `${most}\n`);
}

/** KILL to every process of the group, at once; frozen ones too. */
export async function killGroup(tree: CgroupTree, part: CgroupPart, vmId: VmId): Promise<void> {
  await writeFile(`${groupFolder(tree, part, vmId)}/cgroup.kill`, "1\n").catch(
    (cause: NodeJS.ErrnoException) => {
      // Gone in the meantime: nobody is left to kill.
      if (cause.code !== "ENOENT" && cause.code !== "ENODEV") throw cause;
    },
  );
}

/** Removes an empty group with the groups that the desktop made below. False when a process is in it (again). */
export async function removeGroup(folder: string): Promise<boolean> {
  let isRemoved = true;
  await walk(folder, async (group) => {
    await rmdir(group).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "EBUSY") isRemoved = false;
      else if (cause.code !== "ENOENT") throw cause;
    });
  });
  return isRemoved;
}

/** Deepest first. */
async function walk(folder: string, visit: (folder: string) => Promise<void>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await walk(`${folder}/${entry.name}`, visit);
  await visit(folder);
}

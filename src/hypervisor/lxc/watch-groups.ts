/**
 * Tells of a desktop's end about a millisecond after it: the kernel announces each change of `cgroup.events`.
 * No helper process, and it works for desktops that a former node process started.
 */

import { existsSync, type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { parseId, type VmId } from "../../domain/ids.ts";
import { CGROUP_PARTS, type CgroupPart, type CgroupTree, groupFolder, partFolder } from "./cgroup-tree.ts";

/** Each start makes and removes some groups; to list all of them each time cost it half a millisecond. */
const LIST_AFTER_MS = 500;

/** The part folders must exist. Calls back also for groups that appear or vanish. Returns how to stop. */
export function watchGroups(
  tree: CgroupTree,
  onChange: (vmId: VmId) => void,
  parts = CGROUP_PARTS,
): () => void {
  const stops = parts.map((part) => watchPart(tree, part, onChange));
  return () => {
    for (const stop of stops) stop();
  };
}

function watchPart(tree: CgroupTree, part: CgroupPart, onChange: (vmId: VmId) => void): () => void {
  const watchers = new Map<VmId, FSWatcher>();
  let isStopped = false;
  const forget = (vmId: VmId) => {
    watchers.get(vmId)?.close();
    watchers.delete(vmId);
  };
  const attend = (vmId: VmId) => {
    if (isStopped || watchers.has(vmId)) return;
    try {
      const watcher = watch(`${groupFolder(tree, part, vmId)}/cgroup.events`, () => onChange(vmId));
      // A group that is removed takes its watch along; the folder's watch tells of that.
      watcher.on("error", () => forget(vmId));
      watchers.set(vmId, watcher);
    } catch {
      // It was gone before it could be watched; whoever is called back looks for itself.
    }
  };
  const folder = partFolder(tree, part);
  const list = async () => {
    const names = await readdir(folder).catch((): string[] => []);
    const present = new Set(names.flatMap((name) => parseId<VmId>(name) ?? []));
    for (const vmId of watchers.keys()) if (!present.has(vmId)) forget(vmId);
    for (const vmId of present) attend(vmId);
  };
  let again: ReturnType<typeof setTimeout> | undefined;
  const parent = watch(folder, (_event, name) => {
    // Should the kernel have told less than there was.
    again ??= setTimeout(() => {
      again = undefined;
      void list();
    }, LIST_AFTER_MS).unref();
    const vmId = parseId<VmId>(name ?? "");
    if (vmId === undefined || isStopped) return;
    // One of a new life may be there by the time that the end of the old one is heard of.
    forget(vmId);
    if (existsSync(groupFolder(tree, part, vmId))) attend(vmId);
    onChange(vmId);
  });
  // The folder lives as long as the box; without it the loop's regular look still tells of every end.
  parent.on("error", () => parent.close());
  void list();
  return () => {
    isStopped = true;
    clearTimeout(again);
    parent.close();
    for (const vmId of watchers.keys()) forget(vmId);
  };
}

/** Takes away the empty control groups that all desktops of an instance shared, for a box that is taken down. */

import { type CgroupTree, openCgroupTree, removeGroup } from "./cgroup-tree.ts";

/** Keeps what still has processes in it. */
export async function removeInstance(instance: string, mountPoint?: string): Promise<void> {
  const tree: CgroupTree = await openCgroupTree(instance, mountPoint);
  for (const root of tree.roots) await removeGroup(`${root}/${instance}`);
}

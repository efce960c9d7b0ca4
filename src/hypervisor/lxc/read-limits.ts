import type { VmId } from "../../domain/ids.ts";
import { type CgroupTree, readNow, rootsOf } from "./cgroup-tree.ts";

/** The memory limit that the kernel holds for a desktop, in bytes; undefined when there is none. */
export async function readMemoryLimit(tree: CgroupTree, vmId: VmId): Promise<number | undefined> {
  for (const root of rootsOf(tree, "memory"))
    for (const file of ["memory.max", "memory.limit_in_bytes"]) {
      const text = readNow(`${root}/${tree.instance}/c/${vmId}/${file}`);
      if (/^\d+$/.test(text.trim())) return Number(text);
    }
  return undefined;
}

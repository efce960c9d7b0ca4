import { writeFileSync } from "node:fs";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type CgroupTree, rootsOf } from "./cgroup-tree.ts";

/**
 * Keeps a running desktop from filling the host's swap: its limit is all the memory that it gets. Not a key of
 * LXC's file, because a start fails on a key that the kernel doesn't have, and kernels without swap accounting
 * have neither of these two.
 */
export async function limitSwap(tree: CgroupTree, vmId: VmId, memoryMb: number): Promise<void> {
  // The old layout bounds memory and swap together, the new one swap alone.
  const limits = { "memory.memsw.limit_in_bytes": memoryMb * 2 ** 20, "memory.swap.max": 0 };
  for (const root of rootsOf(tree, "memory"))
    for (const [file, limit] of Object.entries(limits)) {
      try {
        // Without O_CREAT: what isn't there is not to be made.
        writeFileSync(`${root}/${tree.instance}/c/${vmId}/${file}`, `${limit}\n`, { flag: "r+" });
      } catch (cause) {
        // The hierarchy of another controller, or a kernel that doesn't count swap.
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") continue;
        const text = `Starting desktop ${vmId}: the kernel refused its swap limit (${file})`;
        throw new AppError("driver-failed", text, { cause });
      }
    }
}

/**
 * Who goes first when the processors are short: a desktop that starts gets an eighth of what one gets that
 * somebody may be sitting at, so that a crowd of starts is hardly felt by those at work. What nobody else wants
 * it gets all the same.
 */

import { writeFile } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { CgroupTree } from "./cgroup-tree.ts";

/** By the file of either layout of control groups. */
type CpuShare = { readonly "cpu.shares": number; readonly "cpu.weight": number };

export const STARTING_SHARE: CpuShare = { "cpu.shares": 128, "cpu.weight": 12 };
/** The kernel's own. */
const RUNNING_SHARE: CpuShare = { "cpu.shares": 1024, "cpu.weight": 100 };

/** May be called again, and for a desktop that has ended. */
export async function raiseCpuShare(tree: CgroupTree, vmId: VmId): Promise<void> {
  for (const root of tree.roots) {
    const file = fileIn(tree, root);
    if (file === undefined) continue;
    const path = `${root}/${tree.instance}/c/${vmId}/${file}`;
    // Without O_CREAT: what isn't there is not to be made.
    await writeFile(path, `${RUNNING_SHARE[file]}\n`, { flag: "r+" }).catch(
      (cause: NodeJS.ErrnoException) => {
        // The other layout has the processors, or the desktop has just ended.
        if (cause.code === "ENOENT" || cause.code === "ENODEV") return;
        const text = `Settling desktop ${vmId}: the kernel refused its share of the processors (${file})`;
        throw new AppError("driver-failed", text, { cause });
      },
    );
  }
}

/** What bounds the processors in this hierarchy; nothing in one of the old layout's others. */
function fileIn(tree: CgroupTree, root: string): keyof CpuShare | undefined {
  if (root === tree.unified || root.startsWith(`${tree.unified}/`)) return "cpu.weight";
  const controllers = root.split("/").flatMap((folder) => folder.split(","));
  return controllers.includes("cpu") ? "cpu.shares" : undefined;
}

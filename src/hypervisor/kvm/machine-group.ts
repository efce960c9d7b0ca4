/**
 * The control groups of one machine, one in each hierarchy that bounds something, made with their limits
 * before its QEMU enters them: memory that is taken earlier is never counted.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type CgroupTree, groupFolder } from "../lxc/cgroup-tree.ts";

export type MachineLimits = { readonly memoryMb: number; readonly cpus: number };

const CPU_PERIOD_US = 100_000;
/** Its processors, and those that read and write for it. */
const MOST_THREADS = 512;

/** Returns the folders that the QEMU has to enter. */
export async function makeGroups(
  tree: CgroupTree,
  vmId: VmId,
  limits: MachineLimits,
): Promise<readonly string[]> {
  const unified = groupFolder(tree, "machine", vmId);
  await mkdir(unified, { recursive: true });
  await delegate(tree);
  const folders = [unified];
  let hasMemoryLimit = await applyLimits(unified, limits);
  for (const root of tree.roots) {
    if (root === tree.unified || !isBounding(root)) continue;
    const folder = `${root}/${tree.instance}/q/${vmId}`;
    await mkdir(folder, { recursive: true });
    folders.push(folder);
    hasMemoryLimit = (await applyLimits(folder, limits)) || hasMemoryLimit;
  }
  if (!hasMemoryLimit)
    throw new AppError(
      "driver-failed",
      `Starting desktop ${vmId}: no memory limit could be set. Is the kernel's memory controller enabled (cgroup_enable=memory)?`,
    );
  return folders;
}

/** In the newer layout a group has the controllers that all groups above it hand on. */
async function delegate(tree: CgroupTree): Promise<void> {
  const part = `${tree.unified}/${tree.instance}/q`;
  for (const folder of [tree.unified, `${tree.unified}/${tree.instance}`, part])
    for (const controller of ["memory", "cpu", "pids"])
      await writeFile(`${folder}/cgroup.subtree_control`, `+${controller}\n`).catch(() => {
        // In the older layout another hierarchy has it; that a limit holds is proved later.
      });
}

/** The older layout's hierarchies of memory, processors and processes; the others bound nothing for us. */
function isBounding(root: string): boolean {
  const controllers = root.slice(root.lastIndexOf("/") + 1).split(",");
  return controllers.some((name) => name === "memory" || name === "cpu" || name === "pids");
}

/** True when a memory limit is in force in this hierarchy, read back from the kernel. */
async function applyLimits(folder: string, limits: MachineLimits): Promise<boolean> {
  const memoryBytes = limits.memoryMb * 2 ** 20;
  const quotaUs = limits.cpus * CPU_PERIOD_US;
  const values = {
    "memory.limit_in_bytes": memoryBytes,
    "memory.memsw.limit_in_bytes": memoryBytes,
    "cpu.cfs_period_us": CPU_PERIOD_US,
    "cpu.cfs_quota_us": quotaUs,
    "memory.max": memoryBytes,
    "memory.swap.max": 0,
    "cpu.max": `${quotaUs} ${CPU_PERIOD_US}`,
    "pids.max": MOST_THREADS,
  };
  // Without O_CREAT: what the hierarchy doesn't have is not to be made.
  for (const [file, value] of Object.entries(values))
    await writeFile(`${folder}/${file}`, `${value}\n`, { flag: "r+" }).catch(
      (cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT") throw cause;
      },
    );
  for (const file of ["memory.max", "memory.limit_in_bytes"]) {
    const text = await readFile(`${folder}/${file}`, "utf8").catch(() => "");
    if (Number(text) === memoryBytes) return true;
  }
  return false;
}

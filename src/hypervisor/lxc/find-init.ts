/** Finds the first process of a desktop among those of its control group. */

import { readFile } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { type CgroupTree, listProcesses } from "./cgroup-tree.ts";

/** Its pid on the host; undefined when the desktop has no process 1 (any more). */
export async function findInit(tree: CgroupTree, vmId: VmId): Promise<number | undefined> {
  for (const pid of await listProcesses(tree, "container", vmId)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (isInit(status)) return pid;
  }
  return undefined;
}

/** True for process 1 of a namespace just below ours; one of a container within the desktop is deeper. */
export function isInit(status: string): boolean {
  const numbers = /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  return numbers.length === 2 && numbers[1] === "1";
}

import { readFileSync } from "node:fs";
import type { VmId } from "../../domain/ids.ts";
import { isListening } from "../../lib/is-listening.ts";
import { type CgroupTree, groupFolder } from "./cgroup-tree.ts";

/** By the network of the desktop's first process; never followed into its files. Called some times a start, so not in a thread. */
export function listens(tree: CgroupTree, vmId: VmId, port: number): boolean {
  const pid = readFirstProcess(`${groupFolder(tree, "container", vmId)}/cgroup.procs`);
  return pid !== undefined && isListening(port, `/proc/${pid}/net`);
}

function readFirstProcess(path: string): string | undefined {
  try {
    return /^[1-9]\d*$/m.exec(readFileSync(path, "latin1"))?.[0];
  } catch {
    // It isn't there yet, or no more.
    return undefined;
  }
}

import type { WholeBox } from "./whole-box.ts";

/** An OSF whose disks have no limits: a file system in a file for each would be one more thing that faults may strike. */
export async function createBoundlessOsf(box: WholeBox, name: string, memoryMb: number): Promise<void> {
  const limits = ["--home-limit", "none", "--system-limit", "none"];
  await box.qvdOk("osf", "create", name, "--memory", `${memoryMb}`, ...limits);
}

/**
 * Lets machines go on that QEMU stood still because a disk of theirs could not be written: there may be room
 * again. Too early a try does no harm, the machine stands still once more. One that a person paused is left alone.
 */

import { z } from "zod";
import type { VmId } from "../../domain/ids.ts";
import { isAppError } from "../../lib/errors.ts";
import { isPopulated, listGroups, MACHINE_PARTS } from "../lxc/cgroup-tree.ts";
import type { KvmContext } from "./kvm-hypervisor.ts";
import { machineFiles } from "./machine-files.ts";
import { visitQmp } from "./qmp.ts";

const VISIT_TIMEOUT_MS = 2_000;

const statusSchema = z.object({ status: z.string() });

export async function resumeStalled(context: KvmContext): Promise<void> {
  for (const vmId of (await listGroups(context.tree, MACHINE_PARTS)).keys())
    if (await isPopulated(context.tree, "machine", vmId)) await resumeOne(context, vmId);
}

async function resumeOne({ layout }: KvmContext, vmId: VmId): Promise<void> {
  try {
    await visitQmp(machineFiles(layout, vmId).control, VISIT_TIMEOUT_MS, async (command) => {
      const answer = statusSchema.safeParse(await command("query-status"));
      if (answer.data?.status === "io-error") await command("cont");
    });
  } catch (error) {
    // It has just ended, or another visitor is there: the next round asks again.
    if (!isAppError(error)) throw error;
  }
}

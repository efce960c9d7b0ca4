/** The file systems of desktops on shared storage, as the fence freezes, thaws and drops them. */

import { readdir, readFile } from "node:fs/promises";
import type { Layout } from "../../domain/node/layout.ts";
import { AppError, describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { freeze, thaw } from "../../storage/freeze.ts";
import { listWritableMounts } from "../../storage/list-writable-mounts.ts";
import type { Storage } from "../../storage/storage.ts";
import type { FenceDisks } from "./fence.ts";
import type { KeeperCalls } from "./system-calls.ts";

export type FenceDisksOptions = {
  readonly layout: Layout;
  readonly storage: Pick<Storage, "listMounted" | "unmountDesktop">;
  readonly calls: Pick<KeeperCalls, "shutDownFileSystem">;
  readonly log: Log;
};

/** Storage that doesn't answer must not keep the fence from its next step. */
const TIMEOUT_MS = 1_500;
const FREEZER_MS = 5_000;

export function createFenceDisks(options: FenceDisksOptions): FenceDisks {
  const { layout, storage, calls, log } = options;
  const listMountPoints = async () => (await listWritableMounts(layout)).map(({ mountPoint }) => mountPoint);
  let freezing: Promise<boolean> = Promise.resolve(true);
  const tell = (event: string, outcomes: Awaited<ReturnType<typeof freeze>>) => {
    for (const { mountPoint, fault } of outcomes)
      if (fault !== undefined) log.warn(event, { mountPoint, reason: fault });
  };
  return {
    freeze() {
      const frozen = listMountPoints().then(async (mountPoints) => {
        const outcomes = await freeze(mountPoints, { timeoutMs: TIMEOUT_MS });
        tell("disk-not-frozen", outcomes);
        return outcomes.every(({ fault }) => fault === undefined);
      });
      // Its failure is the caller's to hear; here only its end counts.
      freezing = frozen.catch(() => false);
      return frozen;
    },
    thaw: async () => tell("disk-not-thawed", await thaw(await listMountPoints(), { timeoutMs: TIMEOUT_MS })),
    async drop() {
      await freezing;
      const mountPoints = await listMountPoints();
      // One that freezes after the thaw, ours or the node process's, would keep its lock for ever once unmounted:
      // better nothing runs here until whatever holds up its freezing is over.
      if (!(await waitFor(async () => await endFreezers(mountPoints), { timeoutMs: FREEZER_MS })))
        throw new AppError(
          "driver-failed",
          "dropping the disks of desktops: a freezing of one is still under way",
        );
      for (const mountPoint of mountPoints)
        if (!calls.shutDownFileSystem(mountPoint)) log.warn("disk-not-shut-down", { mountPoint });
      // Thawed only now that nothing can be written: a frozen one can't be unmounted.
      tell("disk-not-thawed", await thaw(mountPoints, { timeoutMs: TIMEOUT_MS }));
      const faults: string[] = [];
      for (const vmId of (await storage.listMounted()).keys())
        await storage.unmountDesktop(vmId).catch((error) => faults.push(describeError(error)));
      if (faults.length > 0)
        throw new AppError("driver-failed", `dropping the disks of desktops: ${faults.join("; ")}`);
    },
  };
}

/** Kills the programs that are about to freeze one of them; true when there is none. */
async function endFreezers(mountPoints: readonly string[]): Promise<boolean> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const isFreezer = async (pid: number) => {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    return words.includes("--freeze") && mountPoints.some((mountPoint) => words.includes(mountPoint));
  };
  const are = await Promise.all(pids.map(isFreezer));
  const freezers = pids.filter((_pid, index) => are[index]);
  for (const pid of freezers) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  return freezers.length === 0;
}

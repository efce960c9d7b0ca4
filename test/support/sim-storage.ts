/** Disks of desktops that are plain folders: everything of the storage's contract that the loop relies on. */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { baseFolder, homeFolder, type Layout, vmLayout } from "../../src/domain/node/layout.ts";
import { AppError } from "../../src/lib/errors.ts";
import type { Storage } from "../../src/storage/storage.ts";

export type SimStorage = Storage & {
  /** Makes the next so many unpackings fail. */
  failUnpacking(times: number, text: string): void;
  /** Makes every look at the disks take so long. */
  slowLooks(ms: number): void;
  /** Makes the next so many clean-ups fail. */
  failUnmounting(times: number): void;
};

export function createSimStorage(layout: Layout): SimStorage {
  let unpackFailures = 0;
  let unpackText = "";
  let unmountFailures = 0;
  let lookMs = 0;
  for (const folder of [layout.vmsFolder, layout.basesFolder, layout.homesFolder])
    mkdirSync(folder, { recursive: true });
  return {
    failUnpacking: (times, text) => {
      unpackFailures = times;
      unpackText = text;
    },
    slowLooks: (ms) => {
      lookMs = ms;
    },
    failUnmounting: (times) => {
      unmountFailures = times;
    },
    verifyArchive: async () => ({ format: "tar", sizeBytes: 1, sha256: "0".repeat(64), unpackedBytes: 1 }),
    ensureBase: async (diId) => {
      if (unpackFailures > 0) {
        unpackFailures--;
        throw new AppError("image-broken", unpackText);
      }
      mkdirSync(baseFolder(layout, diId), { recursive: true });
      return baseFolder(layout, diId);
    },
    hasBase: async (diId: DiId) => existsSync(baseFolder(layout, diId)),
    mountDesktop: async ({ vmId }) => {
      const vm = vmLayout(layout, vmId);
      mkdirSync(vm.root, { recursive: true });
      mkdirSync(homeFolder(layout, vmId), { recursive: true });
      return { rootFolder: vm.root, homeFolder: vm.home };
    },
    unmountDesktop: async (vmId) => {
      if (unmountFailures > 0) {
        unmountFailures--;
        throw new AppError("driver-failed", `unmounting desktop ${vmId}: target is busy`);
      }
      rmSync(vmLayout(layout, vmId).folder, { recursive: true, force: true });
    },
    listMounted: async () => {
      await Bun.sleep(lookMs);
      return new Map(
        readdirSync(layout.vmsFolder).map((name) => {
          const vmId = asId<VmId>(Number(name));
          return [vmId, { vmId, mounts: [], hasFolder: true }];
        }),
      );
    },
    retireHome: async (vmId, now) => {
      const home = homeFolder(layout, vmId);
      if (!existsSync(home)) return undefined;
      const retired = `${layout.homesFolder}/deleted-${vmId}-${now.getTime()}`;
      renameSync(home, retired);
      return retired;
    },
    freeBytes: async () => 2 ** 36,
  };
}

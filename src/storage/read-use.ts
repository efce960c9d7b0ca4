/** How full desktops' homes and the shared storage are, for whoever looks at the box. */

import { statfs } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { isShared, type Layout, vmLayout } from "../domain/node/layout.ts";
import { sleep } from "../lib/wait.ts";
import { freeBytes } from "./free-bytes.ts";
import { listDiskMounts, listWritableMounts } from "./list-writable-mounts.ts";

export type HomeUse = { readonly vmId: VmId; readonly sizeMb: number; readonly usedMb: number };

export type StorageUse = {
  /** Free on the shared storage: undefined without one, null where it doesn't answer. */
  readonly sharedFreeMb: number | null | undefined;
  /** Homes with a file system of their own that are mounted here. */
  readonly homes: readonly HomeUse[];
  /** Desktops with a file system that the kernel stopped writing to after an error. */
  readonly halted: readonly VmId[];
};

const MB = 2 ** 20;
const ANSWER_MS = 2_000;

/** One look at a time: at a storage that hangs, each would keep a thread of ours. */
export function createUseReader(layout: Layout): () => Promise<StorageUse> {
  let look: Promise<number | null> | undefined;
  const readShared = async (): Promise<number | null> => {
    look ??= freeBytes(layout.sharedFolder).then(
      (bytes) => Math.round(bytes / MB),
      // Whatever the reason is: it can't be used now.
      () => null,
    );
    const answer = await Promise.race([look, sleep(ANSWER_MS).then(() => "late" as const)]);
    if (answer === "late") return null;
    look = undefined;
    return answer;
  };
  return async () => ({
    sharedFreeMb: isShared(layout) ? await readShared() : undefined,
    homes: await readHomes(layout),
    halted: await listHalted(layout),
  });
}

async function listHalted(layout: Layout): Promise<readonly VmId[]> {
  const mounts = await listDiskMounts(layout);
  return [...new Set(mounts.filter(({ isWritable }) => !isWritable).map(({ vmId }) => vmId))];
}

async function readHomes(layout: Layout): Promise<readonly HomeUse[]> {
  const mounts = (await listWritableMounts(layout)).filter(
    ({ vmId, mountPoint }) => mountPoint === vmLayout(layout, vmId).homeDisk,
  );
  const homes = mounts.map(async ({ vmId, mountPoint }): Promise<HomeUse[]> => {
    // It may go meanwhile.
    const found = await statfs(mountPoint).catch(() => undefined);
    if (found === undefined) return [];
    const { blocks, bavail, bsize } = found;
    return [
      {
        vmId,
        sizeMb: Math.round((blocks * bsize) / MB),
        usedMb: Math.round(((blocks - bavail) * bsize) / MB),
      },
    ];
  });
  return (await Promise.all(homes)).flat();
}

/** What keeper and node process of a box have in common: the fence, the clock, the shared storage. */

import type { Config } from "../../config/load-config.ts";
import { isShared, type Layout } from "../../domain/node/layout.ts";
import { leaseTimes } from "../../domain/node/lease-times.ts";
import type { Log } from "../../lib/log.ts";
import { findCgroupRoot } from "../../lib/process.ts";
import { Fence } from "../../node/keeper/fence.ts";
import { createFenceDisks } from "../../node/keeper/fence-disks.ts";
import { openKeeperCalls } from "../../node/keeper/system-calls.ts";
import { counterFile, readCounter } from "../../node/lease/counter-file.ts";
import { keeperFile, readBootId } from "../../node/lease/keeper-file.ts";
import { KeptLease } from "../../node/lease/kept-lease.ts";
import type { NodeLease } from "../../node/lease/node-lease.ts";
import { readSharedId, requireSharedId } from "../../node/lease/shared-site.ts";
import type { NodesWatchDeps } from "../../node/takeover/nodes-watch.ts";
import { openLibc } from "../../storage/libc.ts";
import type { LetGo } from "../../storage/settle-disk.ts";
import { createStorage, parseStorageDriver, type Storage } from "../../storage/storage.ts";
import { readBoxId } from "../node/read-box-id.ts";

export type FenceParts = {
  readonly config: Config;
  readonly layout: Layout;
  readonly storage: Storage;
  readonly log: Log;
};

export function openBoxStorage(
  { config, layout, log }: Omit<FenceParts, "storage">,
  letGo: () => LetGo,
): Storage {
  return createStorage({
    letGo,
    ...{ layout, idRangeFirst: config.idRangeFirst, log, boxName: config.nodeName },
    driver: parseStorageDriver(config.storageDriver),
    allocatedMb: config.allocateMb,
    mayFetchPrivate: config.imagePrivateUrls === "yes",
  });
}

export function openFence({ config, layout, storage, log }: FenceParts): Fence {
  const disks = createFenceDisks({ layout, storage, libc: openLibc(), log });
  return new Fence({ cgroupRoot: findCgroupRoot(), instance: config.instance, disks, log });
}

export function openKeptLease(parts: FenceParts & { readonly onLost: () => void }): NodeLease {
  const calls = openKeeperCalls();
  return new KeptLease({
    filePath: keeperFile(parts.layout.runFolder),
    origin: { bootId: readBootId(), boxId: readBoxId(parts.layout.stateFolder) },
    bootMs: () => calls.bootMs(),
    fence: openFence(parts),
    times: leaseTimes(parts.config.leaseSeconds * 1000),
    onLost: parts.onLost,
    log: parts.log,
  });
}

/** Undefined where the box shares nothing. */
export async function openShared(layout: Layout): Promise<NodesWatchDeps["shared"]> {
  if (!isShared(layout)) return undefined;
  return {
    id: await requireSharedId(layout.sharedFolder, layout.stateFolder),
    readId: () => readSharedId(layout.sharedFolder),
    readCounter: (nodeId) => readCounter(counterFile(layout.leasesFolder, nodeId)),
  };
}

/** What a box asks when something may be wished anew, and nobody said of what. */

import type { Db } from "../db/client.ts";
import { type NodeNews, readNodeNews } from "../db/queries/node-news.ts";
import type { NodeId, VmId } from "../domain/ids.ts";
import type { VmMemory } from "./memory.ts";

type Remembered = Pick<VmMemory, "report" | "running"> & {
  readonly desktop: Pick<VmMemory["desktop"], "wish">;
};

/** The desktops of which something is wished anew, those that came and those that went, and `dirty` in any case. */
export async function readNews(
  { db, node }: { readonly db: Db; readonly node: { readonly nodeId: NodeId } },
  memories: ReadonlyMap<VmId, VmMemory>,
  dirty: ReadonlySet<VmId>,
): Promise<NodeNews & { readonly vmIds: readonly VmId[] }> {
  const known = [...memories.values()].filter((one) => !dirty.has(one.desktop.vmId) && !isWaiting(one));
  const seen = known.map(({ desktop }) => desktop);
  const news = await readNodeNews(db, node.nodeId, seen);
  const present = new Set(news.present);
  const gone = [...memories.keys()].filter((vmId) => !present.has(vmId));
  const vmIds = new Set([...dirty, ...news.desktops.map(({ vmId }) => vmId), ...gone]);
  return { ...news, vmIds: [...vmIds] };
}

/**
 * It is not as it is wished, though nothing is done to it and it has no place in a queue: it may wait for what nobody tells,
 * such as an image, the lease or room, so it is read like one that is wished anew.
 */
export function isWaiting({ desktop, report, running }: Remembered): boolean {
  return report.state !== desktop.wish && running === undefined && report.queuePosition === undefined;
}

/** The trail of a desktop. */

import { and, desc, eq, lt } from "drizzle-orm";
import type { VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { nodes, vmEvents } from "../schema/index.ts";

export type TrailRow = Awaited<ReturnType<typeof listTrail>>[number];

/** Newest first; `beforeId` goes on from the last row of the page before. */
export function listTrail(
  db: Db,
  vmId: VmId,
  page: { readonly limit: number; readonly beforeId?: number | undefined },
) {
  const older = page.beforeId === undefined ? undefined : lt(vmEvents.id, page.beforeId);
  return db
    .select(columns())
    .from(vmEvents)
    .leftJoin(nodes, eq(nodes.id, vmEvents.nodeId))
    .where(and(eq(vmEvents.vmId, vmId), older))
    .orderBy(desc(vmEvents.id))
    .limit(Math.min(page.limit, 500));
}

function columns() {
  return {
    id: vmEvents.id,
    at: vmEvents.at,
    code: vmEvents.code,
    text: vmEvents.text,
    actor: vmEvents.actor,
    nodeId: vmEvents.nodeId,
    node: nodes.name,
    generation: vmEvents.wishGeneration,
    detail: vmEvents.detail,
  };
}

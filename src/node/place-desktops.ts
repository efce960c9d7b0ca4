/** Gives unplaced desktops to nodes: any node does it for all, one at a time under an advisory lock. */

import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { listPlacementNodes } from "../db/queries/placement.ts";
import { listUnplacedVms } from "../db/queries/unplaced-vms.ts";
import type { VmId } from "../domain/ids.ts";
import { planPlacement } from "../domain/node/placement.ts";
import type { Log } from "../lib/log.ts";
import { placeVm } from "../service/vm/place.ts";
import type { NodeIdentity } from "./deps.ts";
import { reportRefusedPlacement } from "./report/report-refused-placement.ts";

/** Any number will do that nobody else locks. */
const PLACEMENT_LOCK = 5_167_001;

export type PlacementDeps = { readonly db: Db; readonly node: NodeIdentity; readonly log: Log };

/** Returns the desktops placed, on whichever node; none when another node is at it. */
export async function placeDesktops(deps: PlacementDeps): Promise<readonly VmId[]> {
  if ((await listUnplacedVms(deps.db)).length === 0) return [];
  return await deps.db.transaction(async (tx) => {
    const [lock] = await tx.execute<{ taken: boolean }>(
      sql`select pg_try_advisory_xact_lock(${PLACEMENT_LOCK}) as taken`,
    );
    if (lock?.taken !== true) return [];
    const plan = planPlacement(await listUnplacedVms(tx), await listPlacementNodes(tx));
    const placed: VmId[] = [];
    for (const { vmId, nodeId, reason } of plan) {
      if (nodeId === undefined) {
        await reportRefusedPlacement(tx, { vmId, text: reason, nodeId: deps.node.nodeId });
        continue;
      }
      const context = { db: tx, actor: { kind: "node", name: deps.node.name } } as const;
      if ((await placeVm(context, { vmId, nodeId })) === undefined) continue;
      deps.log.info("desktop-placed", { vmId, nodeId, reason });
      placed.push(vmId);
    }
    return placed;
  });
}

/** Gives unplaced desktops to nodes: any node does it for all, one at a time under an advisory lock. */

import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { listPlacementNodes } from "../db/queries/placement.ts";
import { hasUnplacedVms, listUnplacedVms, type UnplacedVm } from "../db/queries/unplaced-vms.ts";
import type { VmId } from "../domain/ids.ts";
import { type Placement, type PlacementOptions, Placer } from "../domain/node/placement.ts";
import type { Log } from "../lib/log.ts";
import { type ChosenNode, placeVms } from "../service/vm/place-many.ts";
import type { NodeIdentity } from "./deps.ts";
import { type RefusedPlacement, reportRefusedPlacements } from "./report/report-refused-placement.ts";

/** Any number will do that nobody else locks. */
const PLACEMENT_LOCK = 5_167_001;
const PORTION = 2_000;

export type PlacementDeps = {
  readonly db: Db;
  readonly node: NodeIdentity;
  readonly log: Log;
  readonly options?: PlacementOptions;
};

/** Returns the desktops placed, on whichever node; none when another node is at it. */
export async function placeDesktops(deps: PlacementDeps): Promise<readonly VmId[]> {
  if (!(await hasUnplacedVms(deps.db))) return [];
  const placed: VmId[] = [];
  // Desktops that nobody takes stay at the head of the list, and must not keep the others from their turn.
  for (let after: UnplacedVm | undefined; ; ) {
    const portion = await placePortion(deps, after);
    placed.push(...portion.placed);
    if (portion.last === undefined) return placed;
    after = portion.last;
  }
}

type Portion = {
  readonly placed: readonly VmId[];
  /** Where the next one begins; undefined when there is none, or it is another node's to place. */
  readonly last: UnplacedVm | undefined;
};

/** A transaction of its own: those of a crowd that were placed first needn't wait for the last. */
async function placePortion(deps: PlacementDeps, after: UnplacedVm | undefined): Promise<Portion> {
  return await deps.db.transaction(async (tx) => {
    const [lock] = await tx.execute<{ taken: boolean }>(
      sql`select pg_try_advisory_xact_lock(${PLACEMENT_LOCK}) as taken`,
    );
    if (lock?.taken !== true) return { placed: [], last: undefined };
    const placer = new Placer(await listPlacementNodes(tx), deps.options);
    const vms = await listUnplacedVms(tx, { limit: PORTION, after });
    const plan = vms.map((vm) => placer.place(vm));
    const placed = await carryOut({ ...deps, db: tx }, plan);
    return { placed, last: vms.length < PORTION ? undefined : vms.at(-1) };
  });
}

async function carryOut(deps: PlacementDeps, plan: readonly Placement[]): Promise<readonly VmId[]> {
  const chosen: ChosenNode[] = [];
  const refused: RefusedPlacement[] = [];
  for (const placement of plan) {
    const { vmId, reason } = placement;
    if (placement.nodeId === undefined) {
      refused.push({ vmId, text: reason, candidates: placement.candidates });
      continue;
    }
    chosen.push({ vmId, nodeId: placement.nodeId });
    deps.log.info("desktop-placed", { vmId, nodeId: placement.nodeId, reason });
  }
  await reportRefusedPlacements(deps.db, deps.node.nodeId, refused);
  const context = { db: deps.db, actor: { kind: "node", name: deps.node.name } } as const;
  return (await placeVms(context, chosen)).map(({ vmId }) => vmId);
}

/**
 * What lies on the box of desktops that the database doesn't know here: dead remains are cleaned up, since
 * nobody else will; a living one is left alone and told of, because the database may be the one that is wrong.
 */

import type { NodeDesktop } from "../db/queries/node-desktops.ts";
import type { VmId } from "../domain/ids.ts";
import type { LoopDeps } from "./deps.ts";
import { cleanUpDesktop } from "./execute/clean-up.ts";
import { listLeftovers, type World } from "./observe.ts";

export type Strangers = {
  readonly world: World;
  /** Desktops of this node's memory; one of them may just be going. */
  readonly known: ReadonlyMap<VmId, unknown>;
  readonly desktops: readonly NodeDesktop[];
};

export async function sweepStrangers(deps: LoopDeps, strangers: Strangers): Promise<void> {
  const { world, known, desktops } = strangers;
  const ours = new Set(desktops.map((desktop) => desktop.vmId));
  for (const vmId of new Set([...world.desktops.keys(), ...world.disks.keys()])) {
    if (ours.has(vmId) || known.has(vmId)) continue;
    if (world.desktops.get(vmId)?.isAlive === true) {
      deps.log.warn("stranger-running", { vmId });
      continue;
    }
    const leftovers = listLeftovers(deps, vmId, world);
    if (leftovers.length === 0) continue;
    try {
      await cleanUpDesktop(deps, vmId);
      deps.log.info("stranger-cleaned-up", { vmId, leftovers });
    } catch (error) {
      deps.log.warn("stranger-not-cleaned-up", { vmId, error });
    }
  }
}

/** Living desktops that the database doesn't place here. */
export function listStrangers(world: World, desktops: readonly NodeDesktop[]): readonly VmId[] {
  const ours = new Set(desktops.map((desktop) => desktop.vmId));
  return [...world.desktops.values()]
    .filter((desktop) => desktop.isAlive && !ours.has(desktop.vmId))
    .map((desktop) => desktop.vmId);
}

/** Looks at the box: what runs, what lies about, what the agents say. Changes nothing. */

import type { NodeDesktop } from "../db/queries/node-desktops.ts";
import type { DiId, VmId } from "../domain/ids.ts";
import { vmLayout } from "../domain/node/layout.ts";
import type { VmObserved } from "../domain/vm/facts.ts";
import type { DesktopObservation } from "../hypervisor/driver.ts";
import type { DesktopDisks } from "../storage/list-mounted.ts";
import type { LoopDeps } from "./deps.ts";
import type { VmMemory } from "./memory.ts";

export type World = {
  readonly desktops: ReadonlyMap<VmId, DesktopObservation>;
  readonly disks: ReadonlyMap<VmId, DesktopDisks>;
  readonly bases: ReadonlySet<DiId>;
};

/** `diIds` are the images whose base trees matter, `only` the desktops; all of them when left out. */
export async function observeWorld(
  deps: LoopDeps,
  diIds: ReadonlySet<DiId>,
  only?: readonly VmId[],
): Promise<World> {
  const [{ desktops, disks }, bases] = await Promise.all([
    observeDesktops(deps, only),
    Promise.all([...diIds].map(async (diId) => ((await deps.storage.hasBase(diId)) ? diId : undefined))),
  ]);
  return { desktops, disks, bases: new Set(bases.filter((diId) => diId !== undefined)) };
}

async function observeDesktops(
  { hypervisor, storage }: LoopDeps,
  only: readonly VmId[] | undefined,
): Promise<Pick<World, "desktops" | "disks">> {
  if (only === undefined) {
    const [desktops, disks] = await Promise.all([hypervisor.observe(), storage.listMounted()]);
    return { desktops, disks };
  }
  const desktops = await hypervisor.observe(only);
  // What a living desktop has mounted is in use; to look for it costs more than all the rest.
  const dead = only.filter((vmId) => desktops.get(vmId)?.isAlive !== true);
  return { desktops, disks: dead.length === 0 ? new Map() : await storage.listMounted(dead) };
}

/** Whose base trees matter to them. */
export function imagesOf(desktops: readonly Pick<NodeDesktop, "image">[]): ReadonlySet<DiId> {
  return new Set(desktops.flatMap(({ image }) => (image === null ? [] : [image.id])));
}

/** All but its places in the box's queues, which depend on what is wished. */
export function observeDesktop(deps: LoopDeps, memory: VmMemory, world: World): VmObserved {
  const { vmId } = memory.desktop;
  const desktop = world.desktops.get(vmId);
  const guest = deps.channels.read(vmId);
  return {
    report: memory.report,
    isAlive: desktop?.isAlive ?? false,
    leftovers: listLeftovers(deps, vmId, world),
    agent: {
      // Nobody is waited for where there is no agent: such a machine runs as soon as it lives.
      isAttached: guest?.isAttached ?? (desktop?.isAlive === true && !memory.desktop.osf.hasAgent),
      changedAtMs: memory.agentChangedAtMs,
      xState: guest?.xState ?? "none",
      isPoweringOff: memory.isPoweringOff,
      isNone: !memory.desktop.osf.hasAgent,
      isAtConsole: deps.isAtConsole?.(vmId) === true,
      areOthersSilent: guest?.isAttached === false && deps.channels.areMostSilent(),
    },
    isEmulated: memory.desktop.osf.hypervisor === "kvm" && deps.settings.machineAccelerator?.() === "tcg",
    earlySession: deps.earlySessions?.read(vmId),
    network: memory.network?.seen,
    wasVisited: memory.wasVisited,
    wasExpiryTold: memory.wasExpiryTold,
    failure: memory.failure,
    queuePosition: 0,
    queueDueAtMs: undefined,
    stopQueuePosition: 0,
    killedAtMs: memory.killedAtMs,
    cleanUpFailures: memory.cleanUpFailures,
    cleanUpFailedAtMs: memory.cleanUpFailedAtMs,
    hasLease: deps.hasLease(),
  };
}

/** In words, for the trail; of a living desktop perhaps, where some of its parts are. */
export function listLeftovers(deps: Pick<LoopDeps, "settings">, vmId: VmId, world: World): string[] {
  const disks = world.disks.get(vmId);
  const folder = disks?.hasFolder === true ? [vmLayout(deps.settings.layout, vmId).folder] : [];
  return [...(world.desktops.get(vmId)?.leftovers ?? []), ...(disks?.mounts ?? []), ...folder];
}

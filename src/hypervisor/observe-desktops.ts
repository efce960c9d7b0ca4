/**
 * What of desktops lives on this host, or was left behind by dead ones: read from the kernel's own books, control
 * groups and interfaces, at each look. Asked for a few desktops it looks at those alone, since the node's loop
 * looks at each one ten times during its start, and a box has hundreds.
 */

import type { VmId } from "../domain/ids.ts";
import { interfaceName } from "../domain/node/network-names.ts";
import { hasInterface, type InterfaceKind, listDesktopInterfaces } from "./desktop-interfaces.ts";
import type { DesktopObservation } from "./driver.ts";
import { type CgroupPart, type CgroupTree, findGroups, isPopulated, listGroups } from "./lxc/cgroup-tree.ts";

export type ObservedKind = {
  readonly tree: CgroupTree;
  readonly parts: readonly CgroupPart[];
  readonly cable: InterfaceKind;
};

/** Desktops that have nothing here are missing from the answer. */
export async function observeDesktops(
  kind: ObservedKind,
  only?: readonly VmId[],
): Promise<ReadonlyMap<VmId, DesktopObservation>> {
  const seen = new Map<VmId, DesktopObservation>();
  const groups = only === undefined ? await listGroups(kind.tree, kind.parts) : undefined;
  const cables = only === undefined ? await listCables(kind) : undefined;
  for (const vmId of only ?? new Set([...(groups?.keys() ?? []), ...(cables?.keys() ?? [])])) {
    // Of a living desktop all of this is in use.
    if (await isAlive(kind, vmId)) {
      seen.set(vmId, { vmId, isAlive: true, leftovers: [] });
      continue;
    }
    const folders = groups === undefined ? findGroups(kind.tree, kind.parts, vmId) : (groups.get(vmId) ?? []);
    const cable = cables === undefined ? await findCable(kind, vmId) : (cables.get(vmId) ?? []);
    const leftovers = [...folders, ...cable];
    if (leftovers.length > 0) seen.set(vmId, { vmId, isAlive: false, leftovers });
  }
  return seen;
}

async function isAlive({ tree, parts }: ObservedKind, vmId: VmId): Promise<boolean> {
  for (const part of parts) if (await isPopulated(tree, part, vmId)) return true;
  return false;
}

async function listCables({ tree, cable }: ObservedKind): Promise<ReadonlyMap<VmId, readonly string[]>> {
  const found = await listDesktopInterfaces(tree.instance, cable);
  return new Map([...found].map(([vmId, name]) => [vmId, [`interface ${name}`]]));
}

async function findCable({ tree, cable }: ObservedKind, vmId: VmId): Promise<readonly string[]> {
  const name = interfaceName(tree.instance, vmId);
  return (await hasInterface(name, cable)) ? [`interface ${name}`] : [];
}

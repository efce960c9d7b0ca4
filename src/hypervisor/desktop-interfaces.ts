/**
 * The host's ends of desktops' cables: containers have veth pairs, machines have taps, both are named alike.
 * Each driver looks at its own kind, so that neither takes the other's for something left behind.
 */

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { vmOfInterface } from "../domain/node/network-names.ts";

export type InterfaceKind = "veth" | "tap";

const FOLDER = "/sys/class/net";

/** Interfaces of this kind that belong to desktops of the instance. */
export async function listDesktopInterfaces(
  instance: string,
  kind: InterfaceKind,
): Promise<ReadonlyMap<VmId, string>> {
  const found = new Map<VmId, string>();
  for (const name of await readdir(FOLDER)) {
    const vmId = vmOfInterface(instance, name);
    if (vmId !== undefined && isTap(name) === (kind === "tap")) found.set(vmId, name);
  }
  return found;
}

/** False for one that isn't there. */
export async function hasInterface(name: string, kind: InterfaceKind): Promise<boolean> {
  return existsSync(`${FOLDER}/${name}`) && isTap(name) === (kind === "tap");
}

function isTap(name: string): boolean {
  return existsSync(`${FOLDER}/${name}/tun_flags`);
}

/** Which desktops have something in the network of a box, put together from the kernel's interfaces and the packet filter. */

import { readdir } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { networkNames, vmOfInterface } from "../domain/node/network-names.ts";
import type { Netlink } from "./netlink.ts";
import { listPortElements } from "./port-elements.ts";

export type ObservedPort = {
  readonly vmId: VmId;
  /** The interface exists: the desktop runs, or left it behind. */
  readonly hasInterface: boolean;
  /** Under which addresses the rules let it speak. */
  readonly addresses: readonly string[];
};

export async function listPorts(
  netlink: Netlink,
  instance: string,
): Promise<ReadonlyMap<VmId, ObservedPort>> {
  const ports = new Map<VmId, ObservedPort>();
  const note = (name: string, address: string | undefined) => {
    const vmId = vmOfInterface(instance, name);
    if (vmId === undefined) return;
    const known = ports.get(vmId);
    ports.set(vmId, {
      vmId,
      hasInterface: address === undefined || (known?.hasInterface ?? false),
      addresses: [...(known?.addresses ?? []), ...(address === undefined ? [] : [address])],
    });
  };
  for (const port of await listPortElements(netlink, networkNames(instance)))
    note(port.interfaceName, port.address);
  for (const name of await readdir("/sys/class/net")) note(name, undefined);
  return ports;
}

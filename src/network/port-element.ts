/** What the packet filter knows of a desktop's port: one element in each of these sets. Pure. */

import { invariant } from "../lib/errors.ts";
import type { SetElement } from "./set-elements.ts";

/** Who may speak through an interface. */
export type PortElement = {
  readonly interfaceName: string;
  readonly mac: string;
  readonly address: string;
  /** Desktops of the same group reach each other; undefined keeps it to itself. */
  readonly group: number | undefined;
};

/**
 * Where the kernel has bridges call the host's filter too (br_netfilter, which Docker loads), what passed the bridge's
 * rules comes by there once more: the upper eight bits of this mark tell it from what was sent through the gateway. A
 * group's number is in the others.
 */
export const BRIDGED_MARK = 0x5100_0000;
const MOST_GROUP = 0xff_ffff;

export const SET_NAMES = ["mac", "ip4", "chaddr", "groups", "members"] as const;

type PortSet = {
  readonly kind: "set" | "map";
  readonly type: string;
  /** The element as nft reads it; undefined where the port has none. */
  readonly render: (port: PortElement) => string | undefined;
  /** The same as the kernel has it. */
  readonly element: (port: PortElement) => Omit<SetElement, "set"> | undefined;
};

export const PORT_SETS: Readonly<Record<(typeof SET_NAMES)[number], PortSet>> = {
  mac: {
    kind: "set",
    type: "type ifname . ether_addr",
    render: (port) => `"${port.interfaceName}" . ${port.mac}`,
    element: (port) => ({ key: [nameOf(port), macOf(port)] }),
  },
  ip4: {
    kind: "set",
    type: "type ifname . ether_addr . ipv4_addr",
    render: (port) => `"${port.interfaceName}" . ${port.mac} . ${port.address}`,
    element: (port) => ({ key: [nameOf(port), macOf(port), { kind: "address", address: port.address }] }),
  },
  // Whose address a DHCP client asks for stands within its message: 36 bytes from the beginning of UDP.
  chaddr: {
    kind: "set",
    type: "typeof iifname . @th,288,48",
    render: (port) => `"${port.interfaceName}" . 0x${port.mac.replaceAll(":", "")}`,
    element: (port) => ({ key: [nameOf(port), macOf(port)] }),
  },
  groups: {
    kind: "map",
    type: "type ifname : mark",
    render: (port) =>
      port.group === undefined ? undefined : `"${port.interfaceName}" : ${markOf(port.group)}`,
    element: (port) =>
      port.group === undefined ? undefined : { key: [nameOf(port)], mark: markOf(port.group) },
  },
  members: {
    kind: "set",
    type: "type mark . ifname",
    render: (port) =>
      port.group === undefined ? undefined : `${markOf(port.group)} . "${port.interfaceName}"`,
    element: (port) =>
      port.group === undefined
        ? undefined
        : { key: [{ kind: "mark", mark: markOf(port.group) }, nameOf(port)] },
  },
};

/** The group that a mark stands for. */
export function groupOf(mark: number): number {
  return mark & MOST_GROUP;
}

function nameOf({ interfaceName }: PortElement) {
  return { kind: "name", name: interfaceName } as const;
}

function macOf({ mac }: PortElement) {
  return { kind: "mac", mac } as const;
}

function markOf(group: number): number {
  invariant(group >= 0 && group <= MOST_GROUP, `group ${group} of desktops has 24 bits`);
  return BRIDGED_MARK + group;
}

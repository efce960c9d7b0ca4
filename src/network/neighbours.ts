/** The host's table of who has which address on the bridge: told, not asked for (rtnetlink(7)). */

import { readFileSync } from "node:fs";
import { type Netlink, refuseErrors } from "./netlink.ts";
import {
  FLAG_ACK,
  FLAG_CREATE,
  FLAG_REPLACE,
  FLAG_REQUEST,
  type NetlinkRequest,
  renderAttribute,
} from "./netlink-message.ts";
import type { PortElement } from "./port-element.ts";
import { renderAddress, renderKey } from "./set-elements.ts";

const NEW_NEIGHBOUR = 28;
const DELETE_NEIGHBOUR = 29;
const AF_INET = 2;
const PERMANENT = 0x80;
const ATTRIBUTE = { address: 1, mac: 2 } as const;
const FIXED_BYTES = 12;
const MOST_REQUESTS = 100;

/** Without it the host asks for up to 40 seconds where a desktop used to be that has moved or changed its interface. */
export async function pinNeighbours(
  netlink: Netlink,
  ports: readonly PortElement[],
  bridge: string,
): Promise<void> {
  if (ports.length === 0) return;
  const doing = "Making desktops' addresses known to the host";
  const fixed = renderFixed(readIndex(bridge));
  const requests = ports.map(({ address, mac }) => ({
    type: NEW_NEIGHBOUR,
    flags: FLAG_REQUEST | FLAG_ACK | FLAG_CREATE | FLAG_REPLACE,
    fixed,
    attributes: [
      renderAttribute(ATTRIBUTE.address, renderAddress(address)),
      renderAttribute(ATTRIBUTE.mac, renderKey([{ kind: "mac", mac }])),
    ],
  }));
  for (const some of inParts(requests)) refuseErrors(doing, await netlink.talk({ doing, requests: some }));
}

export async function forgetNeighbours(
  netlink: Netlink,
  ports: readonly PortElement[],
  bridge: string,
): Promise<void> {
  if (ports.length === 0) return;
  let index: number;
  try {
    index = readIndex(bridge);
  } catch {
    // They have gone with the bridge.
    return;
  }
  const fixed = renderFixed(index);
  const requests = ports.map(({ address }) => ({
    type: DELETE_NEIGHBOUR,
    flags: FLAG_REQUEST | FLAG_ACK,
    fixed,
    attributes: [renderAttribute(ATTRIBUTE.address, renderAddress(address))],
  }));
  // An entry may be gone: nothing to report then, and the others go all the same.
  const doing = "Making the host forget addresses";
  for (const some of inParts(requests)) await netlink.talk({ doing, requests: some });
}

/** The kernel keeps some two hundred answers until they are read. */
function inParts(requests: readonly NetlinkRequest[]): readonly (readonly NetlinkRequest[])[] {
  const parts: (readonly NetlinkRequest[])[] = [];
  for (let at = 0; at < requests.length; at += MOST_REQUESTS)
    parts.push(requests.slice(at, at + MOST_REQUESTS));
  return parts;
}

function readIndex(bridge: string): number {
  return Number(readFileSync(`/sys/class/net/${bridge}/ifindex`, "utf8"));
}

/** `struct ndmsg`. */
function renderFixed(index: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(FIXED_BYTES));
  view.setUint8(0, AF_INET);
  view.setInt32(4, index, true);
  view.setUint16(8, PERMANENT, true);
  return new Uint8Array(view.buffer);
}

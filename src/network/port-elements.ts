/** Reads back and changes who may speak through which interface: the elements of the packet filter's sets. */

import type { NetworkNames } from "../domain/node/network-names.ts";
import { runOk } from "../lib/run.ts";
import type { Netlink } from "./netlink.ts";
import { groupOf, PORT_SETS, type PortElement, SET_NAMES } from "./port-element.ts";
import {
  changeSetElements,
  hasSetElement,
  type KnownElement,
  listSetElements,
  renderKey,
  type SetChange,
} from "./set-elements.ts";

const NAME_BYTES = 16;
const MAC_BYTES = 6;
/** Where the address stands in a key of `ip4`, after two bytes that fill the hardware address up. */
const ADDRESS_AT = 24;

/** What the kernel holds; nothing where the tables don't exist. */
export async function listPortElements(
  netlink: Pick<Netlink, "talk">,
  names: NetworkNames,
): Promise<readonly PortElement[]> {
  const ports = await listSetElements(netlink, names.table, "ip4");
  if (ports === undefined) return [];
  // Tables of an earlier release have no groups.
  return parsePortElements(ports, (await listSetElements(netlink, names.table, "groups")) ?? []);
}

/** Whether its interface may speak as it. */
export async function isLetThrough(
  netlink: Pick<Netlink, "talk">,
  names: NetworkNames,
  port: PortElement,
): Promise<boolean> {
  const element = PORT_SETS.ip4.element(port);
  return element !== undefined && (await hasSetElement(netlink, names.table, { set: "ip4", ...element }));
}

/** Whether each set has what it should of them; it may have more. */
export async function hasAllElements(
  netlink: Pick<Netlink, "talk">,
  names: NetworkNames,
  ports: readonly PortElement[],
): Promise<boolean> {
  for (const set of SET_NAMES) {
    const found = new Set(
      (await listSetElements(netlink, names.table, set))?.map(({ key }) => formatKey(key)),
    );
    const wanted = ports.flatMap((port) => PORT_SETS[set].element(port) ?? []);
    if (!wanted.every(({ key }) => found.has(formatKey(renderKey(key))))) return false;
  }
  return true;
}

function formatKey(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}

/** `ports` are of the set `ip4`, `groups` of that name. */
export function parsePortElements(
  ports: readonly KnownElement[],
  groups: readonly KnownElement[],
): readonly PortElement[] {
  const groupsByName = new Map(groups.map(({ key, mark }) => [readName(key), mark]));
  return ports.map(({ key }) => {
    const interfaceName = readName(key);
    const mark = groupsByName.get(interfaceName);
    return {
      interfaceName,
      mac: [...key.subarray(NAME_BYTES, NAME_BYTES + MAC_BYTES)].map(formatByte).join(":"),
      address: key.subarray(ADDRESS_AT, ADDRESS_AT + 4).join("."),
      group: mark === undefined ? undefined : groupOf(mark),
    };
  });
}

function readName(key: Uint8Array): string {
  return Buffer.from(key.subarray(0, NAME_BYTES)).toString().replace(/\0.*$/s, "");
}

function formatByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** Removes and adds in one transaction. */
export async function changePortElements(
  netlink: Pick<Netlink, "talk">,
  names: NetworkNames,
  change: { readonly remove: readonly PortElement[]; readonly add: readonly PortElement[] },
): Promise<void> {
  const changes: SetChange[] = [];
  for (const [verb, ports] of [["delete", change.remove] as const, ["add", change.add] as const])
    for (const port of ports)
      for (const set of SET_NAMES) {
        const found = PORT_SETS[set].element(port);
        if (found === undefined) continue;
        const element = { set, ...found };
        // What isn't there can't be deleted, and one set may have lost it by another's hand.
        if (verb === "delete") changes.push({ verb: "add", element });
        changes.push({ verb, element });
      }
  await changeSetElements(netlink, names.table, changes);
}

/** All of `text` or nothing of it. */
export async function loadRules(text: string): Promise<void> {
  await runOk("Loading the rules of the desktop network", ["/usr/sbin/nft", "-f", "-"], {
    stdin: `${text}\n`,
    timeoutMs: 30_000,
  });
}

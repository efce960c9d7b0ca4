/**
 * The ports that the packet filter is to know: those that it had when the node looked first, and what we changed since. A
 * start doesn't wait until they have been read, and when somebody empties the filter they are known nevertheless.
 */

import type { NetworkNames } from "../domain/node/network-names.ts";
import type { Netlink } from "./netlink.ts";
import type { PortElement } from "./port-element.ts";
import { changePortElements, listPortElements } from "./port-elements.ts";

export type PortChange = { readonly remove: readonly PortElement[]; readonly add: readonly PortElement[] };

/** Not for two at a time. */
export class PortMemory {
  readonly #netlink: Pick<Netlink, "talk">;
  readonly #names: NetworkNames;
  #known: readonly PortElement[] | undefined;

  constructor(netlink: Pick<Netlink, "talk">, names: NetworkNames) {
    this.#netlink = netlink;
    this.#names = names;
  }

  async list(): Promise<readonly PortElement[]> {
    return this.#known ?? (await this.refresh());
  }

  /** What the kernel has now, and what it had or should have. */
  async refresh(): Promise<readonly PortElement[]> {
    const found = await listPortElements(this.#netlink, this.#names);
    // What is known of a port goes before what is left of it.
    this.#known = applyPortChange(found, { remove: [], add: this.#known ?? [] });
    return this.#known;
  }

  /** All of it or nothing. */
  async change(change: PortChange): Promise<void> {
    const before = await this.list();
    await changePortElements(this.#netlink, this.#names, change);
    this.#known = applyPortChange(before, change);
  }

  /** Of a network that is taken down. */
  forget(): void {
    this.#known = undefined;
  }
}

export function applyPortChange(
  ports: readonly PortElement[],
  { remove, add }: PortChange,
): readonly PortElement[] {
  const key = ({ interfaceName, mac, address }: PortElement) => `${interfaceName} ${mac} ${address}`;
  const replaced = new Set([...remove, ...add].map(key));
  return [...ports.filter((port) => !replaced.has(key(port))), ...add];
}

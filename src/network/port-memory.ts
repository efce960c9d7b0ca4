/**
 * The ports that the packet filter knows, as read once and changed by us since: nobody else changes them while
 * the node runs. A start doesn't wait until they have been read.
 */

import type { NetworkNames } from "../domain/node/network-names.ts";
import type { Netlink } from "./netlink.ts";
import type { PortElement } from "./port-element.ts";
import { changePortElements, listPortElements } from "./port-elements.ts";

export type PortChange = { readonly remove: readonly PortElement[]; readonly add: readonly PortElement[] };

/** Not for two at a time. */
export class PortMemory {
  readonly #netlink: Netlink;
  readonly #names: NetworkNames;
  #known: readonly PortElement[] | undefined;

  constructor(netlink: Netlink, names: NetworkNames) {
    this.#netlink = netlink;
    this.#names = names;
  }

  async list(): Promise<readonly PortElement[]> {
    this.#known ??= await listPortElements(this.#netlink, this.#names);
    return this.#known;
  }

  /** All of it or nothing; after a failure the kernel is asked again. */
  async change(change: PortChange): Promise<void> {
    const before = await this.list();
    this.forget();
    await changePortElements(this.#netlink, this.#names, change);
    this.#known = applyPortChange(before, change);
  }

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

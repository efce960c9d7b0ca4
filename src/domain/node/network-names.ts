/** What the desktop network's parts are called on a host: all after the instance, so that several can live on one machine. */

import { invariant } from "../../lib/errors.ts";
import { parseId, type VmId } from "../ids.ts";

export type NetworkNames = {
  readonly bridge: string;
  /** nft's pattern for every desktop's interface. */
  readonly portPattern: string;
  /** Name of the nft tables. */
  readonly table: string;
};

/** The kernel's bound on the name of an interface, without its end mark. */
const MOST_LETTERS = 15;

export function networkNames(instance: string): NetworkNames {
  invariant(/^[a-z][a-z0-9]{0,7}$/.test(instance), `${instance} is an instance name`);
  return { bridge: `${instance}br0`, portPattern: `${instance}-*`, table: instance };
}

/** The host's end of a desktop's cable. */
export function interfaceName(instance: string, vmId: VmId): string {
  const name = `${instance}-${vmId}`;
  invariant(name.length <= MOST_LETTERS, `${name} fits the name of an interface`);
  return name;
}

/** The desktop whose interface this is; undefined for interfaces that are none of this instance's desktops. */
export function vmOfInterface(instance: string, name: string): VmId | undefined {
  return name.startsWith(`${instance}-`) ? parseId<VmId>(name.slice(instance.length + 1)) : undefined;
}

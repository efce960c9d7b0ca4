/** Whose PROXY header is believed: the addresses and ranges of QVD_BROKER_BALANCERS. */

import { BlockList, isIP } from "node:net";
import { AppError } from "../lib/errors.ts";

export type Balancers = { readonly has: (address: string) => boolean };

/** Undefined when none is listed. Throws `bad-input` naming the setting at an entry that is no address or range. */
export function parseBalancers(text: string): Balancers | undefined {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  if (entries.length === 0) return undefined;
  const list = new BlockList();
  for (const entry of entries) add(list, entry);
  return {
    has: (address) => {
      const plain = plainAddress(address);
      const family = isIP(plain);
      return family !== 0 && list.check(plain, family === 4 ? "ipv4" : "ipv6");
    },
  };
}

/** A listener of both families shows IPv4 as a part of IPv6. */
export function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

function add(list: BlockList, entry: string): void {
  const [address = "", prefixText, ...more] = entry.split("/");
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? most : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  if (family === 0 || more.length > 0 || prefix < 0 || prefix > most)
    throw new AppError(
      "bad-input",
      `QVD_BROKER_BALANCERS: ${JSON.stringify(entry)} is no address and no range such as 10.0.0.0/24`,
      { field: "QVD_BROKER_BALANCERS" },
    );
  list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
}

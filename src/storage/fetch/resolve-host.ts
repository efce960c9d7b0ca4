/** Where a URL leads, decided once: the connection then goes to these addresses and no other. */

import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { isPublicAddress } from "../../domain/image/public-address.ts";
import { hostOf } from "../../domain/image/source-url.ts";
import { AppError } from "../../lib/errors.ts";

export type Lookup = (host: string) => Promise<readonly string[]>;

const MOST_ADDRESSES = 8;

export async function lookupHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/**
 * `forbidden` when one of the addresses is not public and private ones are not allowed: a name that stands for
 * both would be tried until it gives the one.
 */
export async function resolveHost(
  url: URL,
  options: { readonly lookup: Lookup; readonly mayReach: (address: string) => boolean },
): Promise<readonly string[]> {
  const { host, isAddress } = hostOf(url);
  const addresses = isAddress ? [host] : await resolve(host, options.lookup);
  const closed = addresses.find((address) => !options.mayReach(address));
  if (closed === undefined) return addresses.slice(0, MOST_ADDRESSES);
  // Not to which: whoever enrols images needn't learn the addresses behind the site's own names.
  const what = isAddress ? `${closed} is not` : `${host} doesn't lead to`;
  throw new AppError(
    "forbidden",
    `${what} an address of the public internet; whoever runs the box may allow such with QVD_IMAGE_PRIVATE_URLS`,
  );
}

async function resolve(host: string, ask: Lookup): Promise<readonly string[]> {
  const addresses = await ask(host).catch((cause: unknown) => {
    throw new AppError("unavailable", `the name ${host} can't be resolved`, { cause });
  });
  if (addresses.length > 0) return addresses;
  throw new AppError("unavailable", `the name ${host} has no address`);
}

/** Not the box's own either, whatever they are: what listens there may take who comes from the box for the box. */
export function mayReachPublic(address: string, own = listOwnAddresses()): boolean {
  return isPublicAddress(address) && !own.includes(address);
}

function listOwnAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((found) => found?.map(({ address }) => address) ?? []);
}

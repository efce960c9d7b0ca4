/** Ranges of addresses that people write: 192.0.2.0/24, 2001:db8::/32, or one address. */

import { isV4, isV6, parseV4, parseV6, sharesPrefix } from "../image/public-address.ts";

export type AddressRange = { readonly first: bigint; readonly width: 32 | 128; readonly bits: number };

/** Undefined when it isn't one. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = "", prefix, ...more] = text.split("/");
  const one = numberOf(address);
  if (one === undefined || more.length > 0) return undefined;
  const bits = prefix === undefined ? one.width : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  return bits <= one.width ? { first: one.number, width: one.width, bits } : undefined;
}

/** False for what is no address. IPv4 in IPv6 (`::ffff:192.0.2.1`), as sockets may show it, is the IPv4 address. */
export function isInAddressRange(address: string, range: AddressRange): boolean {
  const one = numberOf(address.replace(/^::ffff:(?=\d+\.)/i, ""));
  return (
    one !== undefined &&
    one.width === range.width &&
    sharesPrefix([one.number, range.first], range.width, range.bits)
  );
}

function numberOf(address: string): { readonly number: bigint; readonly width: 32 | 128 } | undefined {
  if (isV4(address)) return { number: parseV4(address), width: 32 };
  return isV6(address) && !address.includes("%") ? { number: parseV6(address), width: 128 } : undefined;
}

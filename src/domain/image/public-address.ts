/**
 * Whether an address is one of the public internet. What a person has the node fetch must not become a way
 * into the node's own networks: loopback, private and link-local ranges, and the addresses where clouds tell
 * their machines' secrets. Pure; what is not surely public is not.
 */

/** First address and length of each range of IPv4 that is not the public internet (IANA's special registry). */
const CLOSED_V4: readonly (readonly [address: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  // Multicast, what is reserved, and broadcast.
  ["224.0.0.0", 3],
];

/** Of IPv6 only 2000::/3 is given out; within it these are not the public internet, or hide an IPv4 address. */
const CLOSED_V6: readonly (readonly [prefix: string, bits: number])[] = [
  // Teredo, ORCHID and the like.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4: an IPv4 address inside.
  ["2002::", 16],
  ["3fff::", 20],
];

export function isPublicAddress(address: string): boolean {
  if (isV4(address)) {
    const number = parseV4(address);
    return !CLOSED_V4.some(([first, bits]) => sharesPrefix([number, parseV4(first)], 32, bits));
  }
  // A zone (`fe80::1%eth0`) names one of our interfaces.
  if (!isV6(address) || address.includes("%")) return false;
  const number = parseV6(address);
  if (!sharesPrefix([number, parseV6("2000::")], 128, 3)) return false;
  return !CLOSED_V6.some(([prefix, bits]) => sharesPrefix([number, parseV6(prefix)], 128, bits));
}

/** Four decimal numbers, and none of the odd forms that a resolver may take. */
export function isV4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

export function isV6(text: string): boolean {
  return text.includes(":") && URL.canParse(`http://[${text}]/`);
}

export function sharesPrefix([one, other]: readonly [bigint, bigint], width: number, bits: number): boolean {
  const shift = BigInt(width - bits);
  return one >> shift === other >> shift;
}

export function parseV4(address: string): bigint {
  return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

export function parseV6(address: string): bigint {
  // The last 32 bits may be written as IPv4.
  const plain = address.replace(/\d+\.\d+\.\d+\.\d+$/, (v4) => {
    const number = parseV4(v4);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n);
}

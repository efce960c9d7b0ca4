/**
 * Arithmetic of the desktop network, IPv4: one range for the site, whose first address is every box's
 * gateway; a desktop gets an address of it for life. The same everywhere, so that a desktop can move.
 */

import { AppError, invariant } from "../../lib/errors.ts";

export type NetworkRange = {
  /** As in the settings, with the host part cleared: `10.77.0.0/16`. */
  readonly cidr: string;
  readonly prefixLength: number;
  /** First host address, the gateway of every desktop. */
  readonly gateway: string;
  /** Lowest address that a desktop can have. */
  readonly firstDesktop: string;
  /** How many addresses desktops can have, from that one on. */
  readonly capacity: number;
};

// Between them there is room for a gateway and a desktop, and the arithmetic stays far from overflow.
const SHORTEST_PREFIX = 8;
const LONGEST_PREFIX = 29;

/**
 * An IPv4 range such as `10.77.0.0/16`; where only a part of it is for desktops, as in a segment that others share,
 * that part follows: `10.0.0.0/16 10.0.0.100-10.0.255.254`. Throws `bad-input` naming the setting for anything else.
 */
export function parseNetworkRange(text: string): NetworkRange {
  const [cidrText = "", partText, ...rest] = text.trim().split(/\s+/);
  const [addressText, prefixText, ...more] = cidrText.split("/");
  const address = parseAddress(addressText ?? "");
  const prefixLength = /^\d{1,2}$/.test(prefixText ?? "") ? Number(prefixText) : Number.NaN;
  const isGood =
    prefixLength >= SHORTEST_PREFIX && prefixLength <= LONGEST_PREFIX && more.length + rest.length === 0;
  if (address === undefined || !isGood)
    throw new AppError(
      "bad-input",
      `The range of the desktop network, ${JSON.stringify(text)}, is not an IPv4 range with a prefix from /${SHORTEST_PREFIX} to /${LONGEST_PREFIX}. Set QVD_NETWORK_RANGE to one such as 10.77.0.0/16.`,
      { field: "QVD_NETWORK_RANGE" },
    );
  const size = 2 ** (32 - prefixLength);
  const first = address - (address % size);
  const whole = {
    cidr: `${formatAddress(first)}/${prefixLength}`,
    prefixLength,
    gateway: formatAddress(first + 1),
    firstDesktop: formatAddress(first + 2),
    // Neither the network's own address, nor the gateway's, nor broadcast.
    capacity: size - 3,
  };
  return partText === undefined ? whole : narrow(whole, partText);
}

/** The last address of the network that `address` is of. */
export function broadcastOf(of: { readonly address: string; readonly prefixLength: number }): string {
  const address = parseAddress(of.address);
  invariant(address !== undefined, `${of.address} is no address`);
  const size = 2 ** (32 - of.prefixLength);
  return formatAddress(address - (address % size) + size - 1);
}

/** `range` with only `FIRST-LAST` of it for desktops. */
function narrow(range: NetworkRange, partText: string): NetworkRange {
  const [first = "", last = "", ...more] = partText.split("-");
  const [low, high] = [parseAddress(first), parseAddress(last)];
  const isGood = isInRange(range, first) && isInRange(range, last) && more.length === 0;
  if (!isGood || low === undefined || high === undefined || low > high)
    throw new AppError(
      "bad-input",
      `The desktops' part of the desktop network, ${JSON.stringify(partText)}, is not FIRST-LAST with two addresses of ${range.cidr}. Set QVD_NETWORK_RANGE to one such as "10.0.0.0/16 10.0.0.100-10.0.255.254".`,
      { field: "QVD_NETWORK_RANGE" },
    );
  return { ...range, firstDesktop: first, capacity: high - low + 1 };
}

/** Addresses that desktops can have, lowest first. */
export function* hostAddresses(range: NetworkRange): Generator<string> {
  const first = parseAddress(range.firstDesktop) ?? 0;
  for (let offset = 0; offset < range.capacity; offset += 1) yield formatAddress(first + offset);
}

/** True for the addresses that desktops can have: not for the gateway's. */
export function isInRange(range: NetworkRange, address: string): boolean {
  const value = parseAddress(address);
  if (value === undefined) return false;
  const offset = value - (parseAddress(range.firstDesktop) ?? 0);
  return offset >= 0 && offset < range.capacity;
}

/** The lowest address that is not in `taken`; undefined when the range is used up. */
export function nextFreeAddress(range: NetworkRange, taken: ReadonlySet<string>): string | undefined {
  for (const address of hostAddresses(range)) if (!taken.has(address)) return address;
  return undefined;
}

/** Highest address that a desktop can have. */
export function lastDesktop(range: NetworkRange): string {
  return formatAddress((parseAddress(range.firstDesktop) ?? 0) + range.capacity - 1);
}

/** True for four plain decimal bytes. */
export function isIpv4(text: string): boolean {
  return parseAddress(text) !== undefined;
}

/** True for every address between the network's own and broadcast, desktops' or not. */
export function isOnSegment(range: NetworkRange, address: string): boolean {
  const offset = (parseAddress(address) ?? -1) - firstOf(range);
  return offset > 0 && offset < 2 ** (32 - range.prefixLength) - 1;
}

/** True when the two have an address in common. */
export function doRangesOverlap(one: NetworkRange, other: NetworkRange): boolean {
  const shorter = one.prefixLength <= other.prefixLength ? one : other;
  const longer = shorter === one ? other : one;
  const size = 2 ** (32 - shorter.prefixLength);
  return Math.floor(firstOf(shorter) / size) === Math.floor(firstOf(longer) / size);
}

/** The hardware address that goes with an address for life: 02:51 and its four bytes. */
export function macOf(address: string): string {
  const value = parseAddress(address);
  if (value === undefined)
    throw new AppError("bad-input", `${JSON.stringify(address)} is not an IPv4 address`);
  const bytes = [0x02, 0x51, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function firstOf(range: NetworkRange): number {
  return (parseAddress(range.gateway) ?? 0) - 1;
}

/** As a number of 32 bits; undefined for anything but four plain decimal bytes. */
function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

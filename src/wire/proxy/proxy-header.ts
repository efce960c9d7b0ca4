/**
 * The header by which a balancer says whose connection it hands on: PROXY protocol, version 2 in binary and
 * version 1 in text (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). It comes before anything
 * else of the connection, TLS included. Pure: bytes in, an address or a fault out.
 */

import { isIP } from "node:net";

export type ProxyHeader =
  /** Undefined where the balancer speaks for itself, such as in its health checks. */
  | { readonly kind: "header"; readonly clientAddress: string | undefined; readonly length: number }
  | { readonly kind: "more" }
  | { readonly kind: "fault"; readonly text: string };

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED_BYTES = 16;
/** Addresses take at most 216 bytes; the rest are notes for others, which we skip. */
const MOST_NOTES_BYTES = 2_048;
const TEXT_START = Buffer.from("PROXY ", "latin1");
/** By the specification, with its line end. */
const MOST_TEXT_BYTES = 107;
const MORE: ProxyHeader = { kind: "more" };

/** `received` is all that has come so far; asked again with more of it after `more`. */
export function parseProxyHeader(received: Uint8Array): ProxyHeader {
  const bytes = Buffer.from(received.buffer, received.byteOffset, received.byteLength);
  if (startsLike(bytes, SIGNATURE)) return bytes.length < FIXED_BYTES ? MORE : parseBinary(bytes);
  if (startsLike(bytes, TEXT_START)) return parseText(bytes);
  return fault("it begins with no PROXY header");
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function parseBinary(bytes: Buffer): ProxyHeader {
  const [versionAndCommand, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const bodyLength = bytes.readUInt16BE(14);
  const length = FIXED_BYTES + bodyLength;
  if (versionAndCommand >> 4 !== 2) return fault("its PROXY header has an unknown version");
  if (bodyLength > MOST_NOTES_BYTES) return fault("its PROXY header is too long");
  const command = versionAndCommand & 0xf;
  if (command > 1) return fault("its PROXY header has an unknown command");
  if (bytes.length < length) return MORE;
  if (command === 0) return { kind: "header", clientAddress: undefined, length };
  const body = bytes.subarray(FIXED_BYTES, length);
  if (family === 0x11 && body.length >= 12) return header([...body.subarray(0, 4)].join("."), length);
  if (family === 0x21 && body.length >= 36) return header(formatIpv6(body), length);
  return fault("its PROXY header names no TCP address");
}

function parseText(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MOST_TEXT_BYTES).indexOf("\r\n");
  if (end === -1) return bytes.length < MOST_TEXT_BYTES ? MORE : fault("its PROXY header has no end");
  const length = end + 2;
  const [, protocol, source = "", destination = "", ...ports] = bytes.toString("latin1", 0, end).split(" ");
  if (protocol === "UNKNOWN") return { kind: "header", clientAddress: undefined, length };
  const family = protocol === "TCP4" ? 4 : protocol === "TCP6" ? 6 : undefined;
  const arePorts = ports.length === 2 && ports.every((port) => /^\d{1,5}$/.test(port));
  if (family === undefined || isIP(source) !== family || isIP(destination) !== family || !arePorts)
    return fault("its PROXY header names no TCP address");
  return header(family === 6 ? oneNameOf(source) : source, length);
}

function header(clientAddress: string, length: number): ProxyHeader {
  return { kind: "header", clientAddress, length };
}

function fault(text: string): ProxyHeader {
  return { kind: "fault", text };
}

function formatIpv6(body: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => body.readUInt16BE(index * 2).toString(16));
  return oneNameOf(groups.join(":"));
}

/**
 * An address of IPv6 as the kernel writes it, so that one client has one name. IPv4 within IPv6 is the IPv4 address: rules
 * about 192.0.2.0/24 mean it however the balancer heard it.
 */
function oneNameOf(address: string): string {
  const url = `http://[${address}]`;
  // One with a zone is no URL's.
  const name = URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address.toLowerCase();
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(name) ?? [];
  if (high === undefined || low === undefined) return name;
  const halves = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return halves.flatMap((half) => [half >> 8, half & 0xff]).join(".");
}

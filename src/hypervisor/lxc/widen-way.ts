/**
 * Lets a container send its own box packets as large as loopback's. Only the way out is widened, and only to the box's
 * address: interface and bridge stay as wires are, so that neighbours, machines and networks outside see no difference.
 * What is there is read from the kernel each time: whoever began it may have ended halfway, and root inside does with
 * routes as they like.
 */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { PACKET_BYTES, WIRE_SEGMENT_BYTES } from "../../domain/node/packet-size.ts";
import { AppError } from "../../lib/errors.ts";
import { runOk } from "../../lib/run.ts";

export type Way = {
  /** Process 1 of the desktop, on the host. */
  readonly init: number;
  /** The host's end of the desktop's cable. */
  readonly interfaceName: string;
  /** The box's own on the desktops' bridge. */
  readonly boxAddress: string;
};

const TIMEOUT_MS = 10_000;
/** A hundred routes, where a desktop has three. Root inside may put in a million. */
const MOST_READ_BYTES = 12_800;

/** True when there was something to do. Connections that are there are widened too. */
export async function widenWay({ init, interfaceName, boxAddress }: Way): Promise<boolean> {
  const size = `/sys/class/net/${interfaceName}/mtu`;
  const table = `/proc/${init}/net/route`;
  const isMeasured = Number(readFileSync(size, "utf8")) === PACKET_BYTES.ownBox;
  const isKnown = isRouted(readStart(table), boxAddress);
  // The host's end is what measures a packet that comes; first, or the first large ones would be lost.
  if (!isMeasured) await writeFile(size, `${PACKET_BYTES.ownBox}`);
  if (isKnown) return !isMeasured;
  const doing = `Widening the way of ${interfaceName}`;
  const enter = ["/usr/bin/nsenter", `--net=/proc/${init}/ns/net`];
  const route = ["/usr/sbin/ip", "route", "replace", `${boxAddress}/32`, "dev", "eth0", "scope", "link"];
  const sizes = ["mtu", `${PACKET_BYTES.ownBox}`, "advmss", `${WIRE_SEGMENT_BYTES}`];
  await runOk(doing, [...enter, ...route, ...sizes], { timeoutMs: TIMEOUT_MS });
  if (!isRouted(readStart(table), boxAddress))
    throw new AppError("driver-failed", `${doing}: its route to ${boxAddress} is not among the first ones`);
  return true;
}

/**
 * By the text of /proc/net/route: interface, destination, gateway, flags, two counters, metric, mask and MTU. Addresses are
 * hexadecimal, last byte first; and what is called MTU is the segment that the route advertises with its headers, by
 * which ours is known from another's.
 */
export function isRouted(table: string, address: string): boolean {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  const destination = bytes.reverse().join("").toUpperCase();
  const row = `^eth0\\t${destination}\\t00000000\\t[0-9A-F]{4}\\t\\d+\\t\\d+\\t0\\tFFFFFFFF\\t${PACKET_BYTES.wire}\\t`;
  return new RegExp(row, "m").test(table);
}

/** The kernel gives a page at a time. */
function readStart(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(MOST_READ_BYTES);
    let size = 0;
    for (let count = -1; count !== 0 && size < MOST_READ_BYTES; size += count)
      count = readSync(file, bytes, size, MOST_READ_BYTES - size, null);
    return bytes.toString("latin1", 0, size);
  } finally {
    closeSync(file);
  }
}

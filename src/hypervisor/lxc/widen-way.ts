/**
 * Lets a container send its own box packets as large as loopback's. Only the way out is widened, and only to the box's
 * address: interface and bridge stay as wires are, so that neighbours, machines and networks outside see no difference.
 */

import { readFile, writeFile } from "node:fs/promises";
import { PACKET_BYTES } from "../../domain/node/packet-size.ts";
import { runOk } from "../../lib/run.ts";

export type Way = {
  /** Process 1 of the desktop, on the host. */
  readonly init: number;
  /** The host's end of the desktop's cable. */
  readonly interfaceName: string;
  /** The box's own on the desktops' bridge. */
  readonly boxAddress: string;
};

/** May be called again; connections that are there are widened too. */
export async function widenWay({ init, interfaceName, boxAddress }: Way): Promise<void> {
  const size = `/sys/class/net/${interfaceName}/mtu`;
  if (Number(await readFile(size, "utf8")) === PACKET_BYTES.ownBox) return;
  // The host's end is what measures a packet that comes; first, or the first large ones would be lost.
  await writeFile(size, `${PACKET_BYTES.ownBox}`);
  const enter = ["/usr/bin/nsenter", `--net=/proc/${init}/ns/net`];
  const route = ["/usr/sbin/ip", "route", "replace", `${boxAddress}/32`, "dev", "eth0", "scope", "link"];
  await runOk(`Widening the way of ${interfaceName}`, [...enter, ...route, "mtu", `${PACKET_BYTES.ownBox}`]);
}

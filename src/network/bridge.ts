/** The bridge that desktops are plugged into; the host's own address on it is their gateway. */

import { access, readFile, readlink, writeFile } from "node:fs/promises";
import { z } from "zod";
import {
  doRangesOverlap,
  macOf,
  type NetworkRange,
  parseNetworkRange,
} from "../domain/node/network-range.ts";
import { OWN_BOX_SEGMENT_BYTES, PACKET_BYTES } from "../domain/node/packet-size.ts";
import { AppError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";

const addressesSchema = z.array(
  z.object({
    ifname: z.string(),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })),
  }),
);

/** `uplink` is an interface of the box that nothing else uses: it becomes a port of the bridge. */
export async function ensureBridge(
  bridge: string,
  range: NetworkRange,
  uplink: string | undefined,
): Promise<void> {
  const wanted = `${range.gateway}/${range.prefixLength}`;
  const addresses = await listAddresses();
  refuseOverlap(addresses, bridge, range);
  if (uplink !== undefined) await refuseUplink(addresses, bridge, uplink);
  const mac = macOf(range.gateway);
  // With its address from the first moment: one that is set a moment later is undone by systemd-udevd, which gives
  // new bridges an address of its own when it finds a random one.
  if (!(await hasInterface(bridge)))
    await ip(bridge, [
      ...["link", "add", "name", bridge, "address", mac],
      ...["type", "bridge", "stp_state", "0", "forward_delay", "0"],
    ]);
  // The same on every box, so that a desktop that moves finds the gateway that it knows. Only where it
  // differs: setting it again makes the kernel forget all static neighbours.
  if ((await readFile(`/sys/class/net/${bridge}/address`, "utf8")).trim() !== mac)
    await ip(bridge, ["link", "set", bridge, "address", mac]);
  await silenceIpv6(bridge);
  for (const { ifname, address } of addresses)
    if (ifname === bridge && address !== wanted) await ip(bridge, ["addr", "del", address, "dev", bridge]);
  await ip(bridge, ["addr", "replace", wanted, "dev", bridge]);
  await ip(bridge, ["link", "set", bridge, "up"]);
  const route = [range.cidr, "dev", bridge, "proto", "kernel", "scope", "link", "src", range.gateway];
  if (uplink === undefined) {
    await keepSize(bridge);
    // Desktops are told by TCP that the box takes large segments; those whose way is widened send them.
    await ip(bridge, ["route", "replace", ...route, "advmss", `${OWN_BOX_SEGMENT_BYTES}`]);
  } else {
    await ip(uplink, ["link", "set", uplink, "master", bridge, "up"]);
    // The bridge may be of a time when it had no port outside.
    await ip(bridge, ["route", "replace", ...route]);
  }
}

/** By itself it takes that of its ports, and new desktops take its; one that it was given it keeps, if it had another. */
async function keepSize(bridge: string): Promise<void> {
  for (const size of [PACKET_BYTES.wire + 1, PACKET_BYTES.wire])
    await ip(bridge, ["link", "set", bridge, "mtu", `${size}`]);
}

async function refuseUplink(
  addresses: readonly HostAddress[],
  bridge: string,
  uplink: string,
): Promise<void> {
  const refuse = (why: string) =>
    new AppError(
      "conflict",
      `Setting up the desktop network: QVD_NETWORK_INTERFACE is ${uplink}, ${why}. Name an interface of this box that is for desktops alone.`,
      { field: "QVD_NETWORK_INTERFACE" },
    );
  if (!(await hasInterface(uplink))) throw refuse("which this box doesn't have");
  const master = await readlink(`/sys/class/net/${uplink}/master`).catch(() => undefined);
  if (master !== undefined && master.split("/").at(-1) !== bridge)
    throw refuse("which is part of another bridge or bond");
  const own = addresses.find(({ ifname }) => ifname === uplink);
  // The box would lose that address, and with it perhaps everybody who works with it.
  if (own !== undefined) throw refuse(`by which the box itself is reached (${own.address})`);
}

export async function removeInterface(name: string): Promise<void> {
  if (await hasInterface(name)) await ip(name, ["link", "del", name]);
}

async function hasInterface(name: string): Promise<boolean> {
  return access(`/sys/class/net/${name}`).then(
    () => true,
    () => false,
  );
}

type HostAddress = { readonly ifname: string; readonly address: string };

async function listAddresses(): Promise<readonly HostAddress[]> {
  const text = await runOk("reading the host's addresses", ["/usr/sbin/ip", "-json", "-4", "addr", "show"]);
  return addressesSchema
    .parse(JSON.parse(text))
    .flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => ({ ifname, address: `${local}/${prefixlen}` })),
    );
}

/** Two interfaces in one range: answers would leave by the wrong one, and no desktop could be reached. */
function refuseOverlap(addresses: readonly HostAddress[], bridge: string, range: NetworkRange): void {
  for (const { ifname, address } of addresses) {
    if (ifname === bridge || ifname === "lo") continue;
    // A single address or a link of two can't be told as a range of ours; the smallest that is will do.
    const [local, prefix] = address.split("/");
    const other = parseNetworkRange(`${local}/${Math.min(29, Math.max(8, Number(prefix)))}`);
    if (doRangesOverlap(range, other))
      throw new AppError(
        "conflict",
        `Setting up the desktop network ${range.cidr}: the host's interface ${ifname} has ${address}, which lies in it. Set QVD_NETWORK_RANGE to a range that is used nowhere at this site.`,
        { field: "QVD_NETWORK_RANGE" },
      );
  }
}

/** The desktop network is IPv4; an address of its own on the bridge would only be one more way to the host. */
async function silenceIpv6(bridge: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, "1\n").catch(() => {
    // A kernel without IPv6 has no such file, and nothing to silence.
  });
}

async function ip(thing: string, words: readonly string[]): Promise<void> {
  await runOk(`Setting up the interface ${thing}`, ["/usr/sbin/ip", ...words], { timeoutMs: 10_000 });
}

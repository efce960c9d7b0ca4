/** What is written into the packet filter and the host's table without their programs, as those programs read it. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { VmId } from "../../src/domain/ids.ts";
import { asId } from "../../src/domain/ids.ts";
import { networkNames } from "../../src/domain/node/network-names.ts";
import { macOf, parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { Netlink } from "../../src/network/netlink.ts";
import { createNetwork } from "../../src/network/network.ts";
import { changePortElements, isLetThrough, listPortElements } from "../../src/network/port-elements.ts";

const INSTANCE = "hvnl";
const RANGE = parseNetworkRange("10.236.0.0/16");
const NAMES = networkNames(INSTANCE);
const ONE = asId<VmId>(1);
const TWO = asId<VmId>(2);
const network = createNetwork({ instance: INSTANCE, range: RANGE, resolvers: [], log: silentLog() });
const netlink = new Netlink("filter");
beforeAll(() => network.ensure(), 30_000);
afterAll(() => network.remove(), 30_000);

const nft = (...words: string[]) => runOk("asking nft", ["/usr/sbin/nft", ...words]);
const listSet = async (kind: string, name: string) =>
  /elements = \{ ([^}]*) \}/.exec(await nft("list", kind, "bridge", NAMES.table, name))?.[1];
const listNeighbours = async () =>
  (
    await runOk("asking ip", ["/usr/sbin/ip", "neigh", "show", "dev", NAMES.bridge, "nud", "permanent"])
  ).trim();

test("a port is in the sets as nft would have put it, and gone after it", async () => {
  const [address, mac] = ["10.236.0.9", macOf("10.236.0.9")];
  await network.addPort(ONE, address, { group: 3 });
  expect(await listSet("set", "mac")).toBe(`"hvnl-1" . ${mac}`);
  expect(await listSet("set", "ip4")).toBe(`"hvnl-1" . ${mac} . ${address}`);
  expect(await listSet("map", "groups")).toBe('"hvnl-1" : 0x51000003');
  expect(await listSet("set", "members")).toBe('0x51000003 . "hvnl-1"');
  const raw = BigInt(`0x${mac.replaceAll(":", "")}`).toString(16);
  expect(await listSet("set", "chaddr")).toBe(`"hvnl-1" . 0x${raw}`);
  expect(await listNeighbours()).toBe(`${address} lladdr ${mac} PERMANENT`);

  await network.removePort(ONE);
  for (const name of ["mac", "ip4", "chaddr", "members"]) expect(await listSet("set", name)).toBeUndefined();
  expect(await listSet("map", "groups")).toBeUndefined();
  expect(await listNeighbours()).toBe("");
});

test("a port that gets another address and leaves its group loses the earlier ones", async () => {
  await network.addPort(ONE, "10.236.0.9", { group: 3 });
  await network.addPort(ONE, "10.236.0.10");
  expect(await listSet("set", "ip4")).toBe(`"hvnl-1" . ${macOf("10.236.0.10")} . 10.236.0.10`);
  expect(await listSet("map", "groups")).toBeUndefined();
  expect(await listNeighbours()).toBe(`10.236.0.10 lladdr ${macOf("10.236.0.10")} PERMANENT`);
  await network.removePort(ONE);
});

test("what nft has loaded is read back, with groups, however much it is", async () => {
  const ports = Array.from({ length: 1_000 }, (_, index) => {
    const address = `10.236.${4 + Math.floor(index / 250)}.${index % 250}`;
    const group = index % 3 === 0 ? undefined : index;
    return { interfaceName: `hvnl-${index + 100}`, mac: macOf(address), address, group };
  });
  const parts = Array.from({ length: 10 }, (_, part) => ports.slice(part * 100, (part + 1) * 100));
  for (const add of parts) await changePortElements(netlink, NAMES, { remove: [], add });
  // Bridge, rules and elements are made anew from what was read.
  await network.ensure();
  const read = await listPortElements(netlink, NAMES);
  const byName = (one: { interfaceName: string }, other: { interfaceName: string }) =>
    one.interfaceName.localeCompare(other.interfaceName);
  expect(read.toSorted(byName)).toEqual(ports.toSorted(byName));
  expect((await listNeighbours()).split("\n")).toHaveLength(ports.length);
  for (const remove of parts) await changePortElements(netlink, NAMES, { remove, add: [] });
  expect(await listPortElements(netlink, NAMES)).toEqual([]);
}, 180_000);

test("who is let through is known, by its name, its hardware address and its address", async () => {
  const { interfaceName, mac, address } = await network.addPort(TWO, "10.236.0.11");
  const port = { interfaceName, mac, address, group: undefined };
  expect(await isLetThrough(netlink, NAMES, port)).toBe(true);
  expect(await isLetThrough(netlink, NAMES, { ...port, interfaceName: "hvnl-3" })).toBe(false);
  expect(await isLetThrough(netlink, NAMES, { ...port, mac: macOf("10.236.0.12") })).toBe(false);
  expect(await isLetThrough(netlink, NAMES, { ...port, address: "10.236.0.12" })).toBe(false);
  await network.removePort(TWO);
  expect(await isLetThrough(netlink, NAMES, port)).toBe(false);
});

test("of a change that can't be made as a whole nothing is made, and the kernel's reason is told", async () => {
  const good = { interfaceName: "hvnl-5", mac: macOf("10.236.0.5"), address: "10.236.0.5", group: undefined };
  const gone = networkNames("hvnlx");
  const change = { remove: [], add: [good] };
  await expect(changePortElements(netlink, gone, change)).rejects.toThrow(/the kernel refuses: ENOENT/);
  expect(await listPortElements(netlink, gone)).toEqual([]);
  await run(["/usr/sbin/nft", "flush", "chain", "bridge", NAMES.table, "guard"]);
  await nft("delete", "set", "bridge", NAMES.table, "chaddr");
  await expect(changePortElements(netlink, NAMES, change)).rejects.toThrow("the kernel refuses");
  expect(await listSet("set", "mac")).toBeUndefined();
  await network.ensure();
});

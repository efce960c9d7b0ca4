import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { DhcpHosts } from "./dhcp-hosts.ts";
import { dnsmasqFiles } from "./dnsmasq-command.ts";

const ONE = {
  interfaceName: "box2-1",
  mac: "02:51:0a:50:00:02",
  address: "10.80.0.2",
  hostName: "desk-one",
};
let folder: string;
let hosts: DhcpHosts;
const list = () => readdir(dnsmasqFiles(folder).hostsFolder);
const read = (name: string) => readFile(`${dnsmasqFiles(folder).hostsFolder}/${name}`, "utf8");
beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/qvd-hosts-`);
  hosts = new DhcpHosts(dnsmasqFiles(folder));
  await hosts.keepOnly([]);
});
afterEach(() => rm(folder, { recursive: true }));

test("a desktop has one file with its addresses and name, and no draft of it stays", async () => {
  await hosts.put(ONE);
  await hosts.put({ ...ONE, hostName: "desk-two" });
  expect(await list()).toEqual(["box2-1"]);
  expect(await read("box2-1")).toBe("02:51:0a:50:00:02,10.80.0.2,desk-two\n");
});

test("a node that starts anew keeps the names of those plugged in, adds who is missing, and forgets the others", async () => {
  await hosts.put(ONE);
  await hosts.put({ ...ONE, interfaceName: "box2-9" });
  const two = { interfaceName: "box2-2", mac: "02:51:0a:50:00:03", address: "10.80.0.3" };
  await new DhcpHosts(dnsmasqFiles(folder)).keepOnly([ONE, two]);
  expect((await list()).sort()).toEqual(["box2-1", "box2-2"]);
  expect(await read("box2-1")).toContain("desk-one");
  expect(await read("box2-2")).toBe("02:51:0a:50:00:03,10.80.0.3\n");
});

test("a desktop that is unplugged twice is gone", async () => {
  await hosts.put(ONE);
  await hosts.remove("box2-1");
  await hosts.remove("box2-1");
  expect(await list()).toEqual([]);
});

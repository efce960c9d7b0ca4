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

const readName = (name: string) => readFile(`${dnsmasqFiles(folder).optionsFolder}/${name}`, "utf8");

test("a desktop has a file with its addresses and one with its name, and no draft of them stays", async () => {
  await hosts.put(ONE);
  await hosts.put({ ...ONE, hostName: "desk-two" });
  expect(await list()).toEqual(["box2-1"]);
  expect(await read("box2-1")).toBe("02:51:0a:50:00:02,set:box2-1,10.80.0.2\n");
  expect(await readName("box2-1")).toBe("tag:box2-1,12,desk-two\n");
  expect((await readdir(`${folder}/dnsmasq`)).sort()).toEqual(["hosts", "options"]);
});

test("a node that starts anew keeps the names of those plugged in, adds who is missing, and forgets the others", async () => {
  await hosts.put(ONE);
  await hosts.put({ ...ONE, interfaceName: "box2-9" });
  const two = { interfaceName: "box2-2", mac: "02:51:0a:50:00:03", address: "10.80.0.3" };
  await new DhcpHosts(dnsmasqFiles(folder)).keepOnly([ONE, two]);
  expect((await list()).sort()).toEqual(["box2-1", "box2-2"]);
  expect(await readName("box2-1")).toContain("desk-one");
  expect(await read("box2-2")).toBe("02:51:0a:50:00:03,set:box2-2,10.80.0.3\n");
  expect(await readName("box2-2")).toBe("");
});

test("a desktop that is unplugged twice is gone", async () => {
  await hosts.put(ONE);
  await hosts.remove("box2-1");
  await hosts.remove("box2-1");
  expect(await list()).toEqual([]);
  expect(await readdir(dnsmasqFiles(folder).optionsFolder)).toEqual([]);
});

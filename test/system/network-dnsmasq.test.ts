/** Addresses and names for desktops that ask for them, from a real dnsmasq under its own account. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { readAccount } from "../../src/cli/accounts.ts";
import { parseNetworkPolicy } from "../../src/domain/node/network-policy.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { findCgroupRoot, removeCgroup } from "../../src/lib/process.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { dnsmasqCommand, dnsmasqFiles } from "../../src/network/dnsmasq-command.ts";
import { Supervisor } from "../../src/node/supervise.ts";
import { createNetworkLab, type LabDesktop, type NetworkLab } from "../support/network-lab.ts";

const INSTANCE = "h5d";
const CIDR = "10.231.0.0/24";
const RANGE = parseNetworkRange(CIDR);
const ASK_DHCP = new URL("../support/ask-dhcp.py", import.meta.url).pathname;
/** Asks the gateway for a name by UDP and tells the answer's code and address. */
const ASK_NAME = `import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
name = b"".join(bytes([len(p)]) + p for p in sys.argv[1].encode().split(b".")) + b"\\0"
s.sendto(b"\\0\\x07\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + name + b"\\0\\1\\0\\1", ("10.231.0.1", 53))
got = s.recv(512); print(got[3] & 15, ".".join(map(str, got[-4:])))`;

const account = readAccount("qvd-net");
let folder: string;
let lab: NetworkLab;
let known: LabDesktop;
let supervisor: Supervisor;
let supervise: (domain: string) => Supervisor;
let server: Bun.udp.Socket<"buffer">;
const policyTexts = { isNat: true, uplink: "", gateway: "", allow: "", domain: "office.test" };

beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/qvd-h5d-");
  await Bun.$`chmod 755 ${folder}`.quiet();
  const files = dnsmasqFiles(folder);
  for (const part of [files.hostsFolder, files.optionsFolder]) await mkdir(part, { recursive: true });
  await mkdir(`${files.folder}/own`);
  await chown(`${files.folder}/own`, account.uid, account.gid);
  // Plays the office's name server: every name is 192.0.2.80.
  server = await Bun.udpSocket({
    hostname: "127.0.0.53",
    port: 5399,
    socket: {
      data(socket, question, port, address) {
        const answer = Buffer.concat([question.subarray(0, 2), Buffer.from("81800001000100000000", "hex")]);
        const rest = Buffer.from("c00c00010001000000050004c0000250", "hex");
        const end = question.indexOf(0, 12) + 5;
        socket.send(Buffer.concat([answer, question.subarray(12, end), rest]), port, address);
      },
    },
  });
  const policy = {
    ...parseNetworkPolicy({ ...policyTexts, nameServers: "" }, RANGE),
    nameServers: ["127.0.0.53#5399"],
  };
  lab = await createNetworkLab({ instance: INSTANCE, cidr: CIDR, policy, dnsmasq: files });
  supervise = (domain) =>
    new Supervisor({
      workers: [
        {
          name: "dnsmasq",
          command: dnsmasqCommand({
            ...{ instance: INSTANCE, range: RANGE, files, account },
            policy: { ...policy, domain },
          }),
          account: undefined,
          env: {},
          followsCommand: true,
        },
      ],
      logsFolder: folder,
      cgroupFolder: `${findCgroupRoot()}/${INSTANCE}/p`,
      clock: systemClock,
      log: silentLog(),
      onChange: () => {},
    });
  supervisor = supervise(policy.domain);
  // Before the bridge is there, as the node does it.
  supervisor.start([]);
  await lab.network.ensure();
  known = await lab.plugIn({ hostName: "desk-1" });
}, 180_000);
afterAll(async () => {
  await supervisor.end();
  server.close();
  await lab.dispose();
  await removeCgroup(`${findCgroupRoot()}/${INSTANCE}`, 2_000);
  await rm(folder, { recursive: true });
}, 180_000);

const askDhcp = async (desktop: LabDesktop, ...words: string[]) => {
  const { stdout, stderr } = await desktop.run("/usr/bin/python3", ASK_DHCP, ...words);
  expect(stderr).toBe("");
  return stdout === "" ? undefined : JSON.parse(stdout);
};
/** The answer that comes at last: a question is given up after two seconds. */
const askName = (desktop: LabDesktop, name = "files.office.test") =>
  waitFor(
    async () => (await desktop.run("/usr/bin/python3", "-c", ASK_NAME, name)).stdout.trim() || undefined,
    { timeoutMs: 20_000 },
  );
const pidOf = () => supervisor.entries()[0]?.pid ?? 0;

test("a desktop that asks gets its address for life, its gateway and its name", async () => {
  const answer = await waitFor(() => askDhcp(known), { timeoutMs: 20_000 });
  expect(answer).toEqual({
    address: known.port.address,
    mask: "255.255.255.0",
    router: "10.231.0.1",
    names: "10.231.0.1",
    host: "desk-1",
    domain: "office.test",
  });
}, 180_000);

test("one that was plugged in a moment ago gets its own at once", async () => {
  const fresh = await lab.plugIn({ isSilent: true });
  await fresh.run("/usr/sbin/ip", "link", "set", "eth0", "up");
  const answer = await waitFor(() => askDhcp(fresh), { timeoutMs: 20_000 });
  expect(answer).toMatchObject({ address: fresh.port.address });
}, 180_000);

test("nobody gets an address in another's name", async () => {
  expect(await askDhcp(known, "02:51:0a:e7:00:03")).toBeUndefined();
});

test("names are answered by way of the box's name server, though it listens on loopback only", async () => {
  expect(await askName(known)).toBe("0 192.0.2.80");
});

test("a desktop can't take a name from the others: neither one it says it has, nor one that it was given", async () => {
  const liar = await lab.plugIn({ isSilent: true });
  await liar.run("/usr/sbin/ip", "link", "set", "eth0", "up");
  expect(await waitFor(() => askDhcp(liar, "", "files"), { timeoutMs: 20_000 })).toBeDefined();
  const named = await lab.plugIn({ hostName: "mail" });
  expect(await waitFor(() => askDhcp(named, "", "mail"), { timeoutMs: 20_000 })).toMatchObject({
    host: "mail",
  });
  for (const name of ["files", "mail"])
    expect(await askName(known, `${name}.office.test`)).toBe("0 192.0.2.80");
}, 180_000);

test("it has an account of its own and two rights", async () => {
  const status = await Bun.file(`/proc/${pidOf()}/status`).text();
  expect(status).toMatch(new RegExp(`^Uid:\\t${account.uid}\\t${account.uid}\\t`, "m"));
  // CAP_NET_BIND_SERVICE (10) and CAP_NET_ADMIN (12), also in the bound.
  for (const set of ["CapPrm", "CapEff", "CapBnd"])
    expect(status).toMatch(new RegExp(`^${set}:\\t0+1400$`, "m"));
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
});

test("when it dies it is started again", async () => {
  const before = pidOf();
  process.kill(before, "SIGKILL");
  expect(await waitFor(() => pidOf() !== before && pidOf() > 0, { timeoutMs: 20_000 })).toBe(true);
  expect(await waitFor(async () => (await askDhcp(known)) !== undefined, { timeoutMs: 20_000 })).toBe(true);
}, 180_000);

test("a desktop that was unplugged is forgotten, and another takes its address under another name", async () => {
  await lab.network.removePort(known.vmId);
  expect(await Bun.file(`${folder}/dnsmasq/hosts/h5d-${known.vmId}`).exists()).toBe(false);
  const heir = await lab.plugIn({ isSilent: true });
  await lab.network.addPort(heir.vmId, known.port.address, { hostName: "desk-2" });
  await heir.run("/usr/sbin/ip", "link", "set", "eth0", "address", known.port.mac, "up");
  const isTold = async () => (await askDhcp(heir))?.host === "desk-2";
  expect(await waitFor(isTold, { timeoutMs: 20_000 })).toBe(true);
}, 180_000);

test("the next node leaves it alone, and one with other settings starts it anew with those", async () => {
  const before = pidOf();
  const restart = (domain: string) => {
    const entries = supervisor.entries();
    supervisor.handOver();
    supervisor = supervise(domain);
    supervisor.start(entries);
  };
  restart("office.test");
  expect(pidOf()).toBe(before);
  restart("branch.test");
  const isTold = async () => (await askDhcp(await lab.plugIn()))?.domain === "branch.test";
  expect(await waitFor(isTold, { timeoutMs: 20_000 })).toBe(true);
  expect(pidOf()).not.toBe(before);
}, 180_000);

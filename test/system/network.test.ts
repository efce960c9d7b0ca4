/** What a desktop reaches over its network, tried from inside of real containers. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { networkNames } from "../../src/domain/node/network-names.ts";
import { macOf, parseNetworkRange } from "../../src/domain/node/network-range.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createNetwork } from "../../src/network/network.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";
import { comesToBeReached } from "../support/network-lab.ts";

const INSTANCE = "hvn";
const GATEWAY = "10.235.0.1";
let lab: DesktopLab;
let one: DesktopSpec;
let two: DesktopSpec;
let hostPort: number;
let server: Bun.TCPSocketListener;
beforeAll(async () => {
  lab = await createDesktopLab(INSTANCE, "10.235.0.0/24");
  one = await lab.prepare("polite");
  two = await lab.prepare("polite");
  for (const spec of [one, two]) await lab.hypervisor.start(spec, new AbortController().signal);
  server = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
  hostPort = server.port;
}, 180_000);
afterAll(async () => {
  server.stop(true);
  await lab.dispose();
}, 180_000);

/** Tries from desktop one; true when it worked in that time. */
async function tries(script: string, seconds: number): Promise<boolean> {
  const limit = ["/usr/bin/timeout", `${seconds}`];
  const result = await lab.inNetworkOf(one.vmId, [...limit, "/bin/bash", "-c", script]);
  return result.exitCode === 0;
}

// It gives up by itself after a second without an answer; to start takes longer where much else runs.
const ping = (address: string, more = "") => tries(`ping -c1 -W1 ${more} ${address}`, 10);
const comesToPing = async (address: string) =>
  (await waitFor(() => ping(address), { timeoutMs: 30_000 })) === true;
const connects = (address: string, port: number) => tries(`exec 3<>/dev/tcp/${address}/${port}`, 1);

const OWN_TABLES = "/proc/sys/net/ipv4/tcp_child_ehash_entries";

test("a desktop's network has a table of connections of its own, where the kernel can", async () => {
  const asked = await lab.inNetworkOf(one.vmId, ["/usr/sbin/sysctl", "-n", "net.ipv4.tcp_ehash_entries"]);
  // The kernel calls one that is shared by a negative number; one before 6.1 knows of none.
  const own = existsSync(OWN_TABLES) ? readFileSync(OWN_TABLES, "utf8") : "";
  expect(asked.stdout.trim()).toBe(own.trim());
});

test("the bridge has its address from the first moment, so that nobody gives it another", async () => {
  const range = parseNetworkRange("10.247.0.0/24");
  const { bridge } = networkNames("hvnb");
  await using listener = listenToLinks();
  const isListening = async () => {
    await run(["/usr/sbin/ip", "link", "add", "hvnb-p", "type", "bridge"]);
    await run(["/usr/sbin/ip", "link", "del", "hvnb-p"]);
    return listener.lines().some((line) => line.includes(" hvnb-p: "));
  };
  expect(await waitFor(isListening, { timeoutMs: 30_000 })).toBe(true);

  const network = createNetwork({ instance: "hvnb", range, resolvers: [], log: silentLog() });
  try {
    await network.ensure();
    const first = () => listener.lines().find((line) => line.includes(` ${bridge}: `));
    expect(await waitFor(first, { timeoutMs: 30_000 })).toContain(`link/ether ${macOf(range.gateway)}`);
  } finally {
    await network.remove();
  }
});

/** What the kernel tells of interfaces, a line each. */
function listenToLinks() {
  const monitor = Bun.spawn(["/usr/sbin/ip", "-o", "monitor", "link"], { stdout: "pipe" });
  let told = "";
  const reading = (async () => {
    for await (const chunk of monitor.stdout) told += Buffer.from(chunk).toString();
  })();
  return {
    lines: () => told.split("\n"),
    async [Symbol.asyncDispose]() {
      monitor.kill();
      await reading;
    },
  };
}

describe("a desktop", () => {
  test("reaches its gateway by echo, and is reached by the host", async () => {
    expect(await comesToPing(GATEWAY)).toBe(true);
    expect(await comesToBeReached((...words) => run(words), one.port.address)).toBe(true);
  });

  test("reaches no port of the host, by neither of its addresses", async () => {
    const routes: { prefsrc?: string }[] = JSON.parse(
      await runOk("reading routes", ["/usr/sbin/ip", "-json", "route"]),
    );
    const addresses = new Set(routes.flatMap(({ prefsrc }) => prefsrc ?? []));
    expect(addresses.has(GATEWAY)).toBe(true);
    for (const address of addresses) expect(await connects(address, hostPort)).toBe(false);
  });

  test("does not reach another, neither directly nor through the gateway", async () => {
    expect(await ping(two.port.address)).toBe(false);
    await lab.inNetworkOf(one.vmId, ["/usr/sbin/ip", "route", "add", two.port.address, "via", GATEWAY]);
    expect(await ping(two.port.address)).toBe(false);
    await lab.inNetworkOf(one.vmId, ["/usr/sbin/ip", "route", "del", two.port.address]);
  });

  test("gets answers to what the host asked for", async () => {
    const listener = Bun.spawn(
      [
        "/usr/bin/nsenter",
        `--target=${await lab.init(one.vmId)}`,
        "--net",
        "--",
        process.execPath,
        "-e",
        "Bun.listen({hostname:'0.0.0.0',port:4100,socket:{data(){},open(s){s.end('hello')}}});console.log('up');setTimeout(()=>process.exit(0),60000)",
      ],
      { stdout: "pipe" },
    );
    await listener.stdout.getReader().read();
    const hear = () =>
      new Promise<string | undefined>((resolve) => {
        const socket = {
          data: (_socket: unknown, data: Uint8Array) => resolve(Buffer.from(data).toString()),
          close: () => resolve(undefined),
        };
        Bun.connect({ hostname: one.port.address, port: 4100, socket }).catch(() => resolve(undefined));
      });
    expect(await waitFor(hear, { timeoutMs: 20_000 })).toBe("hello");
    listener.kill();
    await listener.exited;
  });
});

describe("a desktop that pretends to be another", () => {
  test.each([
    [
      "with a foreign address",
      "ip addr add 10.235.0.77/24 dev eth0",
      "-I 10.235.0.77",
      "ip addr del 10.235.0.77/24 dev eth0",
    ],
    [
      "with its neighbour's address",
      "ip addr add NEIGHBOUR/24 dev eth0",
      "-I NEIGHBOUR",
      "ip addr del NEIGHBOUR/24 dev eth0",
    ],
    [
      "with a foreign hardware address",
      "ip link set eth0 address 02:51:00:00:00:99",
      "",
      "ip link set eth0 address MAC",
    ],
    [
      "with its neighbour's hardware address",
      "ip link set eth0 address OTHER",
      "",
      "ip link set eth0 address MAC",
    ],
  ])("%s reaches nothing", async (_how, disguise, pingOptions, undo) => {
    const fill = (text: string) =>
      text
        .replaceAll("NEIGHBOUR", two.port.address)
        .replaceAll("OTHER", two.port.mac)
        .replaceAll("MAC", one.port.mac);
    expect(await comesToPing(GATEWAY)).toBe(true);
    await lab.inNetworkOf(one.vmId, ["/bin/sh", "-c", fill(disguise)]);
    expect(await ping(GATEWAY, fill(pingOptions))).toBe(false);
    await lab.inNetworkOf(one.vmId, ["/bin/sh", "-c", fill(undo)]);
    await lab.inNetworkOf(one.vmId, ["/bin/sh", "-c", `ip route replace default via ${GATEWAY}`]);
    expect(await comesToPing(GATEWAY)).toBe(true);
  });

  test("does not take the gateway's place by announcing itself", async () => {
    const before = await neighbours();
    await lab.inNetworkOf(one.vmId, [
      "/bin/sh",
      "-c",
      `ip addr add ${GATEWAY}/32 dev eth0; ping -c1 -W1 ${two.port.address}; ip addr del ${GATEWAY}/32 dev eth0`,
    ]);
    expect(await neighbours()).toBe(before);
    expect(await comesToBeReached((...words) => lab.inNetworkOf(two.vmId, words), GATEWAY)).toBe(true);
  });
});

describe("the network", () => {
  test("can be ensured again under running desktops without losing a packet", async () => {
    const pinging = run(["/usr/bin/ping", "-c40", "-i0.01", "-W5", one.port.address]);
    for (let round = 0; round < 5; round += 1) await lab.network.ensure();
    expect((await pinging).stdout).toContain(" 0% packet loss");
  });

  test("gives an address to a new desktop at once, though another had it before", async () => {
    const extra = await lab.prepare("polite");
    await lab.network.addPort(extra.vmId, "10.235.0.200");
    await lab.network.addPort(extra.vmId, extra.port.address);
    const ports = await lab.network.listPorts();
    expect(ports.get(extra.vmId)).toEqual({
      vmId: extra.vmId,
      hasInterface: false,
      addresses: [extra.port.address],
    });
    expect(await neighbours()).not.toContain("10.235.0.200");
    expect(await lab.releaseAndCount(extra.vmId)).toEqual([]);
  });

  test("refuses an address outside of its range, and its gateway's", async () => {
    for (const address of ["10.247.0.5", GATEWAY, "10.235.0.255"])
      await expect(lab.network.addPort(one.vmId, address)).rejects.toMatchObject({ code: "bad-input" });
  });

  test("refuses a range that the host uses already", async () => {
    const other = createNetwork({
      instance: "hvn2",
      range: parseNetworkRange("10.235.0.128/25"),
      resolvers: [],
      log: silentLog(),
    });
    await expect(other.ensure()).rejects.toThrow(
      new RegExp(`${networkNames(INSTANCE).bridge}.*QVD_NETWORK_RANGE`),
    );
  });
});

async function neighbours(): Promise<string> {
  return runOk("reading neighbours", ["/usr/sbin/ip", "neigh", "show", "dev", networkNames(INSTANCE).bridge]);
}

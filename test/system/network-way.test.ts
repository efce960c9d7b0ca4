/**
 * How large the packets are that real containers send: to their own box as on loopback, to neighbours and to the world as
 * wires have them; and that the way to the box is widened again, whoever took it away. A network namespace plays the world.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

const GATEWAY = "10.199.0.1";
const OUTSIDE = "hvg-outside";
const HOST_SIDE = "203.0.113.1";
const PUBLIC = "203.0.113.2";
/** Of a packet, as the sizes below count it; what `ping` calls its size is without. */
const HEADER_BYTES = 28;
const LARGE = 60_000;

let lab: DesktopLab;
let one: DesktopSpec;
let two: DesktopSpec;
beforeAll(async () => {
  lab = await createDesktopLab("hvg", "10.199.0.0/24");
  [one, two] = [await lab.prepare("polite"), await lab.prepare("polite")];
  for (const spec of [one, two]) {
    await lab.network.addPort(spec.vmId, spec.port.address, { group: 1 });
    await lab.hypervisor.start(spec, new AbortController().signal);
  }
  for (const words of [
    ["netns", "add", OUTSIDE],
    ["link", "add", "hvgout", "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE],
    ["addr", "add", `${HOST_SIDE}/24`, "dev", "hvgout"],
    ["link", "set", "hvgout", "up"],
    ["-n", OUTSIDE, "link", "set", "eth0", "up"],
    ["-n", OUTSIDE, "addr", "add", `${PUBLIC}/24`, "dev", "eth0"],
  ])
    await onHost(...words);
}, 180_000);
afterAll(async () => {
  await run(["/usr/sbin/ip", "link", "del", "hvgout"]);
  await run(["/usr/sbin/ip", "netns", "del", OUTSIDE]);
  await lab.dispose();
}, 180_000);

const onHost = (...words: string[]) => runOk("preparing a network", ["/usr/sbin/ip", ...words]);
const inside = async (spec: DesktopSpec, ...words: string[]) =>
  (await lab.inNetworkOf(spec.vmId, ["/usr/sbin/ip", ...words])).stdout;
const readsSize = (name: string) => Number(readFileSync(`/sys/class/net/${name}/mtu`, "utf8"));
const widen = async (spec = one) => await lab.hypervisor.widenWay?.(spec.vmId);

/** By one echo of a packet of that size, which nobody may cut up; what was said of it. */
async function asks(spec: DesktopSpec, address: string, bytes: number, how = "do") {
  const words = ["-c1", "-W1", "-M", how, "-s", `${bytes - HEADER_BYTES}`, address];
  const { exitCode, stdout, stderr } = await lab.inNetworkOf(spec.vmId, ["/usr/bin/ping", ...words]);
  return { isAnswered: exitCode === 0, said: stdout + stderr };
}
/** What is to come through is asked again: an answer may take longer than a second where much else runs. */
const comesThrough = (spec: DesktopSpec, address: string, bytes: number, how?: string) =>
  waitFor(async () => (await asks(spec, address, bytes, how)).isAnswered, { timeoutMs: 20_000 });

async function narrow(): Promise<void> {
  await onHost("link", "set", one.port.interfaceName, "mtu", "1500");
  await inside(one, "route", "del", `${GATEWAY}/32`);
}

describe("a container's way to its box", () => {
  test("is widened by the first who asks for it, and all others stay as wires have them", async () => {
    expect(await comesThrough(one, GATEWAY, 1_500)).toBe(true);
    expect((await asks(one, GATEWAY, LARGE)).said).toContain("essage too long");
    expect(await widen()).toBe(true);
    expect(await widen()).toBe(false);
    expect(await comesThrough(one, GATEWAY, LARGE)).toBe(true);
    expect(await inside(one, "route", "get", GATEWAY)).toContain("mtu 65520");
    for (const address of [two.port.address, PUBLIC])
      expect(await inside(one, "route", "get", address)).not.toContain("mtu");
    expect(await inside(one, "link", "show", "eth0")).toContain("mtu 1500");
    const { bridge, interfaceName } = one.port;
    expect([interfaceName, bridge, two.port.interfaceName].map(readsSize)).toEqual([65_520, 1_500, 1_500]);
    // What the box tells desktops by TCP.
    expect(await onHost("route", "show", "dev", bridge)).toContain("advmss 65480");
  });

  test("that a node left half widened at its death is widened by the next", async () => {
    await narrow();
    await onHost("link", "set", one.port.interfaceName, "mtu", "65520");
    const next = await lab.reopen();
    expect(await next.widenWay?.(one.vmId)).toBe(true);
    expect(await next.widenWay?.(one.vmId)).toBe(false);
    expect(await comesThrough(one, GATEWAY, LARGE)).toBe(true);
  });

  test.each([
    ["taken away inside", [["route", "del", `${GATEWAY}/32`]]],
    ["made another inside", [["route", "replace", `${GATEWAY}/32`, "dev", "eth0", "mtu", "1400"]]],
    [
      "lost with its cable, down and up again",
      [
        ["link", "set", "eth0", "down"],
        ["link", "set", "eth0", "up"],
        ["route", "add", "default", "via", GATEWAY],
      ],
    ],
  ])("is widened again when it was %s", async (_how, changes) => {
    for (const words of changes) await inside(one, ...words);
    expect(await widen()).toBe(true);
    expect(await widen()).toBe(false);
    expect(await comesThrough(one, GATEWAY, LARGE)).toBe(true);
    expect(await comesThrough(one, PUBLIC, 1_500)).toBe(true);
  });

  test("loses nothing for longer than to the next look, where the box's end was made small", async () => {
    await onHost("link", "set", one.port.interfaceName, "mtu", "1500");
    expect((await asks(one, GATEWAY, LARGE)).isAnswered).toBe(false);
    expect(await widen()).toBe(true);
    expect(await comesThrough(one, GATEWAY, LARGE)).toBe(true);
  });

  test("that can't be widened is told of, and its desktop goes on as it is", async () => {
    for (const words of [["down"], ["name", "eth9"]]) await inside(one, "link", "set", "eth0", ...words);
    await inside(one, "link", "set", "eth9", "up");
    await expect(widen()).rejects.toMatchObject({
      code: "driver-failed",
      message: expect.stringContaining(one.port.interfaceName),
    });
    expect((await lab.hypervisor.observe([one.vmId])).get(one.vmId)?.isAlive).toBe(true);
    expect(await comesThrough(one, GATEWAY, 1_500)).toBe(true);
    for (const words of [["down"], ["name", "eth0"]]) await inside(one, "link", "set", "eth9", ...words);
    await inside(one, "link", "set", "eth0", "up");
    await inside(one, "route", "add", "default", "via", GATEWAY);
    expect(await widen()).toBe(true);
  });

  test("is not searched for at length among routes that root inside has put in", async () => {
    const many = `for i in $(seq 1 250); do echo "route add 9.0.0.$i/32 dev eth0"; done | ip -batch -`;
    await lab.inNetworkOf(one.vmId, ["/bin/bash", "-c", many]);
    await expect(widen()).rejects.toThrow("is not among the first");
    expect(await comesThrough(one, GATEWAY, LARGE)).toBe(true);
    await inside(one, "route", "flush", "root", "9.0.0.0/8");
    expect(await widen()).toBe(false);
  });

  test("is nobody's matter of a desktop that doesn't run", async () => {
    const idle = await lab.prepare("polite");
    expect(await widen(idle)).toBe(false);
    expect(await lab.releaseAndCount(idle.vmId)).toEqual([]);
  });
});

/** Takes four megabytes from the first who comes, and says so; to one whose first byte is a `g` it sends as many. */
const SERVER = `import socket
s = socket.create_server(("0.0.0.0", 4100))
print("up", flush=True)
c, _ = s.accept()
if c.recv(1) == b"g": c.sendall(bytes(4000000))
n = 1
while n < 4000000: n += len(c.recv(65536)) or 4000000
c.sendall(b"%d\\n" % n)`;

/** `enter` are the words that lead to its network. */
async function serve(enter: readonly string[]) {
  const server = Bun.spawn([...enter, "/usr/bin/python3", "-c", SERVER], { stdout: "pipe" });
  await server.stdout.getReader().read();
  return {
    async [Symbol.asyncDispose]() {
      server.kill();
      await server.exited;
    },
  };
}

/** Sends four megabytes there and hears how many came; what the kernel says of the connection meanwhile. */
async function sends(spec: DesktopSpec, address: string): Promise<string> {
  const script = `exec 3<>/dev/tcp/${address}/4100; head -c 4000000 /dev/zero >&3; ss -tinH dst ${address}; read -t 10 -u 3 count; echo "came: $count"`;
  const words = ["/usr/bin/timeout", "15", "/bin/bash", "-c", script];
  return (await lab.inNetworkOf(spec.vmId, words)).stdout;
}

describe("once ways are wide", () => {
  const networkOf = async (spec: DesktopSpec) => [
    ...["/usr/bin/nsenter", `--target=${await lab.init(spec.vmId)}`],
    ...["--net", "--"],
  ];
  beforeAll(async () => {
    for (const spec of [one, two]) await widen(spec);
  });

  test("a neighbour is sent what wires take, and a larger packet isn't sent at all", async () => {
    expect(await comesThrough(one, two.port.address, 1_500)).toBe(true);
    expect((await asks(one, two.port.address, 1_501)).said).toContain("essage too long");
    expect(await comesThrough(one, two.port.address, 5_000, "dont")).toBe(true);
    await using _server = await serve(await networkOf(two));
    const said = await sends(one, two.port.address);
    expect(said).toContain("came: 4000000");
    expect(said).toMatch(/\bmss:1448 pmtu:1500\b/);
  });

  test("what root inside makes larger all the same is dropped before it comes to a neighbour", async () => {
    await inside(one, "link", "set", "eth0", "mtu", "9000");
    const before = await inside(two, "-s", "-json", "link", "show", "eth0");
    expect((await asks(one, two.port.address, 4_000)).said).toContain("100% packet loss");
    const after = await inside(two, "-s", "-json", "link", "show", "eth0");
    expect(receivedBytes(after) - receivedBytes(before)).toBeLessThan(4_000);
    expect(await comesThrough(one, two.port.address, 1_500)).toBe(true);
    await inside(one, "link", "set", "eth0", "mtu", "1500");
    expect(await widen()).toBe(false);
  });

  test("the world is sent what wires take, and less where a wire on the way takes less", async () => {
    expect(await comesThrough(one, PUBLIC, 1_500)).toBe(true);
    expect((await asks(one, PUBLIC, 1_501)).said).toContain("essage too long");
    expect(await comesThrough(one, PUBLIC, 5_000, "dont")).toBe(true);
    await onHost("link", "set", "hvgout", "mtu", "1400");
    await onHost("-n", OUTSIDE, "link", "set", "eth0", "mtu", "1400");
    expect((await asks(one, PUBLIC, 1_500)).said).toMatch(/mtu ?= ?1400/);
    expect(await comesThrough(one, PUBLIC, 1_400)).toBe(true);
    expect(await inside(one, "route", "get", PUBLIC)).toContain("mtu 1400");
    await using _server = await serve(["/usr/sbin/ip", "netns", "exec", OUTSIDE]);
    const said = await sends(one, PUBLIC);
    expect(said).toContain("came: 4000000");
    expect(said).toMatch(/\bmss:1348 pmtu:1400\b/);
    expect(await comesThrough(one, GATEWAY, LARGE)).toBe(true);
  });

  test("a connection of the box's that is there already takes large segments up, and all of it comes", async () => {
    await narrow();
    await using _server = await serve(await networkOf(one));
    const socket = await connect(one.port.address);
    const segment = async () => /\bmss:(\d+)/.exec(await ofConnection(one))?.[1];
    expect(await segment()).toBe("1448");
    expect(await widen()).toBe(true);
    socket.tell();
    expect(await waitFor(() => socket.heard() >= 4_000_000, { timeoutMs: 15_000 })).toBe(true);
    expect(await segment()).toBe("65468");
    // What the box sends to a desktop stays as wires have it.
    const ofHost = await runOk("reading connections", ["/usr/bin/ss", "-tinH", "dst", one.port.address]);
    expect(ofHost).toMatch(/\bmss:1448 pmtu:1500\b/);
    socket.end();
  });
});

const ofConnection = async (spec: DesktopSpec) =>
  (await lab.inNetworkOf(spec.vmId, ["/usr/bin/ss", "-tinH", "sport", "=", ":4100"])).stdout;

async function connect(address: string) {
  let bytes = 0;
  const socket = await Bun.connect({
    hostname: address,
    port: 4100,
    socket: {
      data(_socket, data) {
        bytes += data.length;
      },
    },
  });
  return { heard: () => bytes, tell: () => void socket.write("g"), end: () => void socket.end() };
}

/** By what `ip` tells of one interface. */
function receivedBytes(told: string): number {
  return JSON.parse(told)[0].stats64.rx.bytes;
}

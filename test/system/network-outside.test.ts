/** What a desktop reaches beyond its box. A network namespace plays the outside: a public address and private ones. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { networkNames } from "../../src/domain/node/network-names.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createNetwork } from "../../src/network/network.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";
import { comesToBeReached, isReached } from "../support/network-lab.ts";

const INSTANCE = "hvo";
const RANGE = "10.237.0.0/24";
const OUTSIDE = "hvo-outside";
const HOST_SIDE = "198.51.100.1";
const PUBLIC = "198.51.100.2";
const OFFICE = "10.249.0.2";
const NAME_SERVER = "10.249.0.53";

let lab: DesktopLab;
let spec: DesktopSpec;
let servers: Bun.Subprocess<"ignore", "pipe", "inherit">;
beforeAll(async () => {
  lab = await createDesktopLab(INSTANCE, RANGE);
  const resolvers = [NAME_SERVER];
  const network = createNetwork({
    instance: INSTANCE,
    range: parseNetworkRange(RANGE),
    resolvers,
    log: silentLog(),
  });
  await network.ensure();
  for (const words of [
    ["netns", "add", OUTSIDE],
    ["link", "add", "hvoout", "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE],
    ["addr", "add", `${HOST_SIDE}/24`, "dev", "hvoout"],
    ["link", "set", "hvoout", "up"],
    ["-n", OUTSIDE, "link", "set", "lo", "up"],
    ["-n", OUTSIDE, "link", "set", "eth0", "up"],
    ["-n", OUTSIDE, "addr", "add", `${PUBLIC}/24`, "dev", "eth0"],
    ["-n", OUTSIDE, "addr", "add", `${OFFICE}/24`, "dev", "eth0"],
    ["-n", OUTSIDE, "addr", "add", `${NAME_SERVER}/24`, "dev", "eth0"],
    ["route", "add", "10.249.0.0/24", "via", PUBLIC],
  ])
    await runOk("making an outside", ["/usr/sbin/ip", ...words]);
  // Says to each who comes from where they came.
  const serve = `for (const port of [53, 80]) Bun.listen({ hostname: "0.0.0.0", port, socket: { data() {}, open(s) { s.end(s.remoteAddress + "\\n") } } }); console.log("up")`;
  servers = Bun.spawn(["/usr/sbin/ip", "netns", "exec", OUTSIDE, process.execPath, "-e", serve], {
    stdout: "pipe",
  });
  await servers.stdout.getReader().read();
  spec = await lab.prepare("polite");
  await lab.hypervisor.start(spec, new AbortController().signal);
}, 180_000);
afterAll(async () => {
  servers.kill();
  await servers.exited;
  await run(["/usr/sbin/ip", "link", "del", "hvoout"]);
  await run(["/usr/sbin/ip", "netns", "del", OUTSIDE]);
  await lab.dispose();
}, 180_000);

/** What a server at the address answers to the desktop; empty when it isn't reached. */
async function ask(address: string, port: number): Promise<string> {
  const script = `exec 3<>/dev/tcp/${address}/${port} && cat <&3`;
  const words = ["/usr/bin/timeout", "2", "/bin/bash", "-c", script];
  return (await lab.inNetworkOf(spec.vmId, words)).stdout.trim();
}

/** The answer that comes at last; two seconds are little where much else runs. */
const hears = (address: string, port: number) =>
  waitFor(async () => (await ask(address, port)) || undefined, { timeoutMs: 20_000 });

test("a public server is reached, and sees the box's address", async () => {
  expect(await hears(PUBLIC, 80)).toBe(HOST_SIDE);
});

test("a private server is not reached, except for names", async () => {
  expect(await ask(OFFICE, 80)).toBe("");
  expect(await ask(NAME_SERVER, 80)).toBe("");
  expect(await ask(OFFICE, 53)).toBe("");
  expect(await hears(NAME_SERVER, 53)).toBe(HOST_SIDE);
});

test("nobody outside reaches a desktop", async () => {
  const { address } = spec.port;
  await runOk("routing", ["/usr/sbin/ip", "-n", OUTSIDE, "route", "add", RANGE, "via", HOST_SIDE]);
  const outside = (...words: string[]) => run(["/usr/sbin/ip", "netns", "exec", OUTSIDE, ...words]);
  expect(await isReached(outside, address)).toBe(false);
  expect(await comesToBeReached((...words) => run(words), address)).toBe(true);
  expect(networkNames(INSTANCE).bridge).toBe(spec.port.bridge);
});

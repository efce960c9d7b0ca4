/** Ways out of a box: a shared segment by an interface of its own, routed without NAT, and private targets that a site allows. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PolicyTexts, parseNetworkPolicy } from "../../src/domain/node/network-policy.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { SCREEN_PORT } from "../../src/domain/session/screen-port.ts";
import { type RunResult, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  comesToBeReached,
  createNetworkLab,
  isReached,
  type LabDesktop,
  type NetworkLab,
} from "../support/network-lab.ts";

const PLAIN: PolicyTexts = { isNat: true, uplink: "", gateway: "", allow: "", nameServers: "", domain: "" };
type Enter = (...command: string[]) => Promise<RunResult>;
/** Says to each from where it was reached, until somebody says a word to it. */
const SERVER = `import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    c, a = s.accept()
    c.settimeout(2)
    try:
        c.sendall(a[0].encode())
        c.shutdown(socket.SHUT_WR)
        if c.recv(1): break
    except OSError: pass
    c.close()`;
/** Ends with `endServer`, or after a minute by itself. */
const serve = (enter: Enter, port: number) =>
  enter("/usr/bin/timeout", "60", "/usr/bin/python3", "-c", SERVER, `${port}`);
const connect = async (enter: Enter, seconds: number, script: string) =>
  await enter("/usr/bin/timeout", `${seconds}`, "/bin/bash", "-c", `exec 3<>/dev/tcp/${script}`);
async function endServer(within: Enter, port: number): Promise<void> {
  const isTold = async () =>
    (await connect(within, 5, `127.0.0.1/${port} && echo >&3 && cat <&3`)).exitCode === 0;
  await waitFor(isTold, { timeoutMs: 30_000 });
}
const ip = (...words: string[]) => runOk("preparing", ["/usr/sbin/ip", ...words]);

describe("on a segment that others share", () => {
  const cidr = "10.240.0.0/24 10.240.0.100-10.240.0.200";
  let lab: NetworkLab;
  let router: Enter;
  let desktop: LabDesktop;
  beforeAll(async () => {
    const texts = { ...PLAIN, uplink: "h5sup", gateway: "10.240.0.254" };
    const policy = parseNetworkPolicy(texts, parseNetworkRange(cidr));
    lab = await createNetworkLab({ instance: "h5s", cidr, policy });
    router = await lab.addOutside("h5s-router", "h5sup");
    await ip("-n", "h5s-router", "addr", "add", "10.240.0.254/24", "dev", "eth0");
    await lab.network.ensure();
    desktop = await lab.plugIn();
  }, 180_000);
  afterAll(() => lab.dispose(), 180_000);

  test("a desktop has an address of its part and the segment's router, and both reach each other", async () => {
    expect(desktop.port).toMatchObject({ address: "10.240.0.100", gateway: "10.240.0.254" });
    expect(await comesToBeReached(desktop.run, "10.240.0.254")).toBe(true);
    expect(await comesToBeReached(router, desktop.port.address)).toBe(true);
  });

  test("the box and its desktop reach each other, and nobody on the segment sees the box", async () => {
    expect(await comesToBeReached(desktop.run, "10.240.0.1")).toBe(true);
    expect(await comesToBeReached((...words) => run(words), desktop.port.address)).toBe(true);
    expect(await isReached(router, "10.240.0.1")).toBe(false);
    expect((await router("/usr/sbin/ip", "neigh", "show", "10.240.0.1")).stdout).not.toContain("02:51");
  });

  test("somebody on the segment who takes the box's address or a desktop's hardware address is not heard", async () => {
    await router("/usr/sbin/ip", "addr", "add", "10.240.0.1/32", "dev", "eth0");
    await router("/usr/bin/ping", "-c1", "-W1", "-I", "10.240.0.1", desktop.port.address);
    expect(await comesToBeReached(desktop.run, "10.240.0.1")).toBe(true);
    await router("/usr/sbin/ip", "addr", "del", "10.240.0.1/32", "dev", "eth0");
    const { stdout } = await router("/usr/bin/cat", "/sys/class/net/eth0/address");
    await router("/usr/sbin/ip", "link", "set", "eth0", "address", "02:51:0a:e6:00:96");
    expect(await isReached(router, desktop.port.address)).toBe(false);
    await router("/usr/sbin/ip", "link", "set", "eth0", "address", stdout.trim());
    expect(await comesToBeReached(router, desktop.port.address)).toBe(true);
  });

  test("nobody on the segment comes to a desktop's screen, and the box does", async () => {
    const reach = async (enter: Enter, port: number) =>
      (await connect(enter, 1, `${desktop.port.address}/${port}`)).exitCode === 0;
    const comesToReach = (enter: Enter, port: number) =>
      waitFor(() => reach(enter, port), { timeoutMs: 30_000, everyMs: 50 });
    const ports = [SCREEN_PORT, SCREEN_PORT + 1];
    const serving = ports.map((port) => serve(desktop.run, port));
    expect(await comesToReach((...words) => run(words), SCREEN_PORT)).toBe(true);
    expect(await comesToReach(router, SCREEN_PORT + 1)).toBe(true);
    expect(await reach(router, SCREEN_PORT)).toBe(false);
    for (const port of ports) await endServer(desktop.run, port);
    await Promise.all(serving);
  }, 180_000);

  test("the box passes nothing on for a desktop that sends it what is for others", async () => {
    await desktop.run("/usr/sbin/ip", "route", "replace", "default", "via", "10.240.0.1");
    expect(await isReached(desktop.run, "198.51.100.7")).toBe(false);
    await desktop.run("/usr/sbin/ip", "route", "replace", "default", "via", "10.240.0.254");
  });

  test("tells nobody of segments that wires don't take, though its bridge did before", async () => {
    const route = ["10.240.0.0/24", "dev", "h5sbr0", "proto", "kernel", "scope", "link", "src", "10.240.0.1"];
    await ip("route", "replace", ...route, "advmss", "65480");
    await lab.network.ensure();
    const told = await ip("route", "show", "dev", "h5sbr0");
    expect(told).toContain("10.240.0.0/24");
    expect(told).not.toContain("advmss");
  });

  test("an interface that the box itself uses, or doesn't have, is refused by its name", async () => {
    for (const uplink of ["lo", "h5snone"]) {
      const range = parseNetworkRange("10.241.0.0/24");
      const other = await createNetworkLab({
        instance: "h5t",
        cidr: "10.241.0.0/24",
        policy: parseNetworkPolicy({ ...PLAIN, uplink }, range),
      });
      await expect(other.network.ensure()).rejects.toThrow(new RegExp(`QVD_NETWORK_INTERFACE is ${uplink}`));
      await other.dispose();
    }
  });
});

describe("without NAT, with private targets that the site allows", () => {
  const cidr = "10.242.0.0/24";
  let lab: NetworkLab;
  let office: Enter;
  let desktop: LabDesktop;
  beforeAll(async () => {
    const texts = { ...PLAIN, isNat: false, allow: "10.243.0.2:8001, 10.243.0.3" };
    lab = await createNetworkLab({
      instance: "h5w",
      cidr,
      policy: parseNetworkPolicy(texts, parseNetworkRange(cidr)),
    });
    await lab.network.ensure();
    office = await lab.addOutside("h5w-office", "h5wout");
    await ip("addr", "add", "10.243.0.1/24", "dev", "h5wout");
    for (const last of [2, 3, 4])
      await ip("-n", "h5w-office", "addr", "add", `10.243.0.${last}/24`, "dev", "eth0");
    await ip("-n", "h5w-office", "route", "add", cidr, "via", "10.243.0.1");
    desktop = await lab.plugIn();
  }, 180_000);
  afterAll(async () => {
    await lab.dispose();
    await run(["/usr/sbin/ip", "link", "del", "h5wout"]);
  }, 180_000);

  const ask = (address: string, port: number) => connect(desktop.run, 2, `${address}/${port} && cat <&3`);

  test("what is allowed is reached under the desktop's own address, and nothing beside it", async () => {
    const serving = serve(office, 8001);
    expect((await ask("10.243.0.2", 8002)).exitCode).not.toBe(0);
    expect((await ask("10.243.0.4", 8001)).exitCode).not.toBe(0);
    // It may not listen yet.
    const heard = await waitFor(async () => (await ask("10.243.0.2", 8001)).stdout || undefined, {
      timeoutMs: 30_000,
    });
    expect(heard).toBe(desktop.port.address);
    await endServer(office, 8001);
    await serving;
    expect(await comesToBeReached(desktop.run, "10.243.0.3")).toBe(true);
    expect(await isReached(desktop.run, "10.243.0.2")).toBe(false);
  }, 180_000);

  test("nobody there reaches a desktop that didn't ask", async () => {
    expect(await isReached(office, desktop.port.address)).toBe(false);
  });
});

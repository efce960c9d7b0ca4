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
const ip = (...words: string[]) => runOk("preparing", ["/usr/sbin/ip", ...words]);

describe("on a segment that others share", () => {
  const cidr = "10.230.0.0/24 10.230.0.100-10.230.0.200";
  let lab: NetworkLab;
  let router: Enter;
  let desktop: LabDesktop;
  beforeAll(async () => {
    const texts = { ...PLAIN, uplink: "h5sup", gateway: "10.230.0.254" };
    const policy = parseNetworkPolicy(texts, parseNetworkRange(cidr));
    lab = await createNetworkLab({ instance: "h5s", cidr, policy });
    router = await lab.addOutside("h5s-router", "h5sup");
    await ip("-n", "h5s-router", "addr", "add", "10.230.0.254/24", "dev", "eth0");
    await lab.network.ensure();
    desktop = await lab.plugIn();
  }, 30_000);
  afterAll(() => lab.dispose(), 180_000);

  test("a desktop has an address of its part and the segment's router, and both reach each other", async () => {
    expect(desktop.port).toMatchObject({ address: "10.230.0.100", gateway: "10.230.0.254" });
    expect(await comesToBeReached(desktop.run, "10.230.0.254")).toBe(true);
    expect(await comesToBeReached(router, desktop.port.address)).toBe(true);
  });

  test("the box and its desktop reach each other, and nobody on the segment sees the box", async () => {
    expect(await comesToBeReached(desktop.run, "10.230.0.1")).toBe(true);
    expect(await comesToBeReached((...words) => run(words), desktop.port.address)).toBe(true);
    expect(await isReached(router, "10.230.0.1")).toBe(false);
    expect((await router("/usr/sbin/ip", "neigh", "show", "10.230.0.1")).stdout).not.toContain("02:51");
  });

  test("somebody on the segment who takes the box's address or a desktop's hardware address is not heard", async () => {
    await router("/usr/sbin/ip", "addr", "add", "10.230.0.1/32", "dev", "eth0");
    await router("/usr/bin/ping", "-c1", "-W1", "-I", "10.230.0.1", desktop.port.address);
    expect(await comesToBeReached(desktop.run, "10.230.0.1")).toBe(true);
    await router("/usr/sbin/ip", "addr", "del", "10.230.0.1/32", "dev", "eth0");
    const { stdout } = await router("/usr/bin/cat", "/sys/class/net/eth0/address");
    await router("/usr/sbin/ip", "link", "set", "eth0", "address", "02:51:0a:e6:00:96");
    expect(await isReached(router, desktop.port.address)).toBe(false);
    await router("/usr/sbin/ip", "link", "set", "eth0", "address", stdout.trim());
    expect(await comesToBeReached(router, desktop.port.address)).toBe(true);
  });

  test("nobody on the segment comes to a desktop's screen, and the box does", async () => {
    const program = `import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True: s.accept()[0].sendall(b"here")`;
    const reach = async (enter: Enter, port: number) =>
      (
        await enter(
          "/usr/bin/timeout",
          "1",
          "/bin/bash",
          "-c",
          `exec 3<>/dev/tcp/${desktop.port.address}/${port}`,
        )
      ).exitCode === 0;
    const serving = [SCREEN_PORT, SCREEN_PORT + 1].map((port) =>
      desktop.run("/usr/bin/timeout", "5", "/usr/bin/python3", "-c", program, `${port}`),
    );
    const isThere = () => reach((...words) => run(words), SCREEN_PORT);
    expect(await waitFor(isThere, { timeoutMs: 5_000, everyMs: 50 })).toBe(true);
    expect(await reach(router, SCREEN_PORT + 1)).toBe(true);
    expect(await reach(router, SCREEN_PORT)).toBe(false);
    await Promise.all(serving);
  }, 20_000);

  test("the box passes nothing on for a desktop that sends it what is for others", async () => {
    await desktop.run("/usr/sbin/ip", "route", "replace", "default", "via", "10.230.0.1");
    expect(await isReached(desktop.run, "198.51.100.7")).toBe(false);
    await desktop.run("/usr/sbin/ip", "route", "replace", "default", "via", "10.230.0.254");
  });

  test("an interface that the box itself uses, or doesn't have, is refused by its name", async () => {
    for (const uplink of ["lo", "h5snone"]) {
      const range = parseNetworkRange("10.229.0.0/24");
      const other = await createNetworkLab({
        instance: "h5t",
        cidr: "10.229.0.0/24",
        policy: parseNetworkPolicy({ ...PLAIN, uplink }, range),
      });
      await expect(other.network.ensure()).rejects.toThrow(new RegExp(`QVD_NETWORK_INTERFACE is ${uplink}`));
      await other.dispose();
    }
  });
});

describe("without NAT, with private targets that the site allows", () => {
  const cidr = "10.228.0.0/24";
  let lab: NetworkLab;
  let office: Enter;
  let desktop: LabDesktop;
  beforeAll(async () => {
    const texts = { ...PLAIN, isNat: false, allow: "10.227.0.2:8001, 10.227.0.3" };
    lab = await createNetworkLab({
      instance: "h5w",
      cidr,
      policy: parseNetworkPolicy(texts, parseNetworkRange(cidr)),
    });
    await lab.network.ensure();
    office = await lab.addOutside("h5w-office", "h5wout");
    await ip("addr", "add", "10.227.0.1/24", "dev", "h5wout");
    for (const last of [2, 3, 4])
      await ip("-n", "h5w-office", "addr", "add", `10.227.0.${last}/24`, "dev", "eth0");
    await ip("-n", "h5w-office", "route", "add", cidr, "via", "10.227.0.1");
    desktop = await lab.plugIn();
  }, 30_000);
  afterAll(async () => {
    await lab.dispose();
    await run(["/usr/sbin/ip", "link", "del", "h5wout"]);
  }, 30_000);

  /** A server says from where it was reached. */
  const serve = (port: number) =>
    office(
      "/usr/bin/timeout",
      "20",
      "/usr/bin/python3",
      "-c",
      `import socket
s = socket.create_server(("0.0.0.0", ${port})); c, a = s.accept(); c.sendall(a[0].encode()); c.close()`,
    );
  const ask = (address: string, port: number) =>
    desktop.run("/usr/bin/timeout", "2", "/bin/bash", "-c", `exec 3<>/dev/tcp/${address}/${port} && cat <&3`);

  test("what is allowed is reached under the desktop's own address, and nothing beside it", async () => {
    const serving = serve(8001);
    expect((await ask("10.227.0.2", 8002)).exitCode).not.toBe(0);
    expect((await ask("10.227.0.4", 8001)).exitCode).not.toBe(0);
    // It may not listen yet.
    const heard = await waitFor(async () => (await ask("10.227.0.2", 8001)).stdout || undefined, {
      timeoutMs: 15_000,
    });
    expect(heard).toBe(desktop.port.address);
    await serving;
    expect(await comesToBeReached(desktop.run, "10.227.0.3")).toBe(true);
    expect(await isReached(desktop.run, "10.227.0.2")).toBe(false);
  }, 40_000);

  test("nobody there reaches a desktop that didn't ask", async () => {
    expect(await isReached(office, desktop.port.address)).toBe(false);
  });
});

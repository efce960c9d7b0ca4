/** Sends what a desktop may not, for real, and looks where it arrives. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { macOf } from "../../src/domain/node/network-range.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { expectHostAlone, expectNeighbourly, sendForbidden } from "../support/forbidden-packets.ts";
import {
  comesToBeReached,
  createNetworkLab,
  isReached,
  type LabDesktop,
  type NetworkLab,
} from "../support/network-lab.ts";

const INSTANCE = "h5p";
const GATEWAY = { address: "10.233.0.1", mac: macOf("10.233.0.1") };

let lab: NetworkLab;
let me: LabDesktop;
let other: LabDesktop;
let friends: readonly LabDesktop[];
beforeAll(async () => {
  lab = await createNetworkLab({ instance: INSTANCE, cidr: "10.233.0.0/24" });
  await lab.network.ensure();
  me = await lab.plugIn();
  other = await lab.plugIn();
  friends = [await lab.plugIn({ group: 3 }), await lab.plugIn({ group: 3 }), await lab.plugIn({ group: 4 })];
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

const send = (from: LabDesktop, to: LabDesktop) =>
  sendForbidden({ from, to, witnesses: [me, other, ...friends], gateway: GATEWAY });

describe("of all that a desktop can send", () => {
  test("nothing reaches another desktop, and the box only what it says as itself", async () => {
    expectHostAlone(await send(me, other));
  }, 180_000);

  test("a desktop that was never plugged in reaches nothing at all", async () => {
    await runOk("emptying", ["/usr/sbin/nft", "flush", "set", "bridge", INSTANCE, "mac"]);
    const arrived = await send(me, other);
    expect(Object.values(arrived).flat()).toEqual([]);
    for (const one of [me, other]) await lab.network.addPort(one.vmId, one.port.address);
    for (const [at, one] of friends.entries())
      await lab.network.addPort(one.vmId, one.port.address, { group: at === 2 ? 4 : 3 });
    expect(await comesToBeReached(me.run, GATEWAY.address)).toBe(true);
  }, 180_000);
});

describe("desktops of one group", () => {
  test("reach each other as themselves, and give each other neither addresses nor routes", async () => {
    const [one, two, three] = [friends[0] ?? me, friends[1] ?? me, friends[2] ?? me];
    expectNeighbourly(await send(one, two), two, [me, other, three]);
    expect(await comesToBeReached(one.run, two.port.address)).toBe(true);
    expect(await isReached(one.run, three.port.address)).toBe(false);
  }, 180_000);

  test("stay together when the node starts anew, and part when they are plugged in without it", async () => {
    const [one, two] = [friends[0] ?? me, friends[1] ?? me];
    await lab.reopen().ensure();
    expect(await comesToBeReached(one.run, two.port.address)).toBe(true);
    await lab.network.addPort(two.vmId, two.port.address);
    expect(await isReached(one.run, two.port.address)).toBe(false);
    await lab.network.addPort(two.vmId, two.port.address, { group: 3 });
    expect(await comesToBeReached(one.run, two.port.address)).toBe(true);
  }, 180_000);
});

describe("a desktop that opens flows without end", () => {
  test("is held to its bound and hurts nobody else", async () => {
    const flood = `import socket
sent = 0
for port in range(1, 6001):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try: s.sendto(b"x", ("203.0.113.9", port)); sent += 1
    except OSError: pass
    s.close()
print(sent)`;
    await lab.addOutside("h5p-outside", "h5pout");
    for (const words of [
      ["route", "add", "203.0.113.9", "dev", "h5pout"],
      ["neigh", "add", "203.0.113.9", "lladdr", "02:00:00:00:00:09", "dev", "h5pout", "nud", "permanent"],
    ])
      await runOk("a way out", ["/usr/sbin/ip", ...words]);
    try {
      expect((await me.run("/usr/bin/python3", "-c", flood)).stdout.trim()).toBe("6000");
      expect(await countFlows(me.port.address)).toBeLessThan(2048 + 20);
      expect(await countFlows(me.port.address)).toBeGreaterThan(1000);
      expect(await comesToBeReached(other.run, GATEWAY.address)).toBe(true);
    } finally {
      await run(["/usr/sbin/ip", "link", "del", "h5pout"]);
    }
  });
});

async function countFlows(address: string): Promise<number> {
  const listed = await Bun.file("/proc/net/nf_conntrack").text();
  return listed.split("\n").filter((line) => line.includes(`src=${address} `)).length;
}

describe("rules that are loaded again under traffic", () => {
  test("lose no packet", async () => {
    const pinging = me.run("/usr/bin/ping", "-c60", "-i0.01", "-W5", GATEWAY.address);
    for (let round = 0; round < 8; round += 1) await lab.reopen().ensure();
    const result = await pinging;
    expect(result.stdout).toContain(" 0% packet loss");
  }, 180_000);

  test("leave nothing behind when the box is taken down", async () => {
    const gone = await createNetworkLab({ instance: "h5q", cidr: "10.245.0.0/24" });
    await gone.network.ensure();
    await gone.plugIn({ group: 1 });
    await gone.dispose();
    const tables = await runOk("listing", ["/usr/sbin/nft", "list", "tables"]);
    const links = await runOk("listing", ["/usr/sbin/ip", "-br", "link"]);
    expect(`${tables}${links}`).not.toContain("h5q");
  });
});

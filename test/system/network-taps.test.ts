/**
 * Sends what a virtual machine may not, for real: raw frames are written into taps as the driver makes them, in the place of
 * a QEMU, beside a container's cable. No guest is needed: rules see cables.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { macOf } from "../../src/domain/node/network-range.ts";
import { runOk } from "../../src/lib/run.ts";
import {
  createNetworkLab,
  type LabDesktop,
  type LabMachine,
  type NetworkLab,
} from "../support/network-lab.ts";

const INSTANCE = "vtap";
const GATEWAY = { address: "10.239.0.1", mac: macOf("10.239.0.1") };
const SCRIPT = new URL("../support/send-packets.py", import.meta.url).pathname;
const FIRST_INHERITED = 3;

let lab: NetworkLab;
let me: LabMachine;
let other: LabMachine;
let friends: readonly LabMachine[];
let container: LabDesktop;
beforeAll(async () => {
  lab = await createNetworkLab({ instance: INSTANCE, cidr: "10.239.0.0/24" });
  await lab.network.ensure();
  me = await lab.plugInMachine();
  other = await lab.plugInMachine();
  friends = [await lab.plugInMachine({ group: 3 }), await lab.plugInMachine({ group: 3 })];
  container = await lab.plugIn();
}, 60_000);
afterAll(() => lab.dispose(), 60_000);

/** Where each of the script's frames arrived: `host`, a machine's number, or the container. */
async function send(
  from: LabMachine,
  to: LabMachine | LabDesktop,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const machines = [me, other, ...friends];
  const nameOf = (one: LabMachine) => `tap:${FIRST_INHERITED + machines.indexOf(one)}`;
  const party = ({ port }: LabMachine | LabDesktop) => ({ address: port.address, mac: port.mac });
  const witnesses = machines.filter((one) => one !== from).map(nameOf);
  const sending = Bun.spawn(
    ["/usr/bin/python3", SCRIPT, nameOf(from), from.port.bridge, container.namespace, ...witnesses],
    {
      stdio: [
        Buffer.from(JSON.stringify({ me: party(from), other: party(to), gateway: GATEWAY })),
        "pipe",
        "inherit",
        ...machines.map(({ descriptor }) => descriptor),
      ],
      timeout: 60_000,
    },
  );
  const said: Record<string, string[]> = JSON.parse(await new Response(sending.stdout).text());
  const nameBack = (name: string) =>
    name === container.namespace
      ? "container"
      : `${machines.find((one) => nameOf(one) === name)?.vmId ?? name}`;
  return Object.fromEntries(Object.entries(said).map(([frame, places]) => [frame, places.map(nameBack)]));
}

/** What the box hears of a machine; all else arrives nowhere. */
const TO_HOST = [
  "own ip to gateway",
  "own arp for gateway",
  "own dhcp discover",
  "ip broadcast",
  "ip multicast",
  "arp for other",
  "hairpin through gateway",
];

/** Part of a packet: passed on or kept until the rest comes, by whether the kernel has its bridges call the host's filter. */
const isHeldBack = (name: string) => name.includes("fragment");

describe("of all that a virtual machine can send", () => {
  test.each([
    ["another machine", () => other],
    ["a container", () => container],
  ])(
    "nothing reaches %s, and the box only what it says as itself",
    async (_whom, to) => {
      const arrived = await send(me, to());
      const names = Object.keys(arrived).filter((name) => !isHeldBack(name));
      expect(names.length).toBeGreaterThan(35);
      const expected = Object.fromEntries(
        names.map((name) => [name, TO_HOST.includes(name) ? ["host"] : []]),
      );
      expect(arrived).toMatchObject(expected);
      expect(arrived["later fragment to other"]).toEqual([]);
    },
    60_000,
  );

  test("machines of one group hear each other as themselves, and get neither addresses nor routes", async () => {
    const [one, two] = [friends[0] ?? me, friends[1] ?? me];
    const arrived = await send(one, two);
    const reachTwo = Object.entries(arrived)
      .filter(([name, places]) => places.includes(`${two.vmId}`) && !isHeldBack(name))
      .map(([name]) => name);
    expect(reachTwo.sort()).toEqual(
      [
        ...["ip to other", "tcp to other", "ip broadcast", "ip multicast", "arp for other"],
        "own arp for gateway",
      ].sort(),
    );
    for (const stranger of [`${me.vmId}`, `${other.vmId}`, "container"])
      expect(Object.values(arrived).flat()).not.toContain(stranger);
  }, 60_000);

  test("one that was never plugged in reaches nothing at all", async () => {
    await runOk("emptying", ["/usr/sbin/nft", "flush", "set", "bridge", INSTANCE, "mac"]);
    expect(Object.values(await send(me, other)).flat()).toEqual([]);
  }, 60_000);
});

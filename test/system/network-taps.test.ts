/**
 * Sends what a virtual machine may not, for real: raw frames are written into taps as the driver makes them, in the place of
 * a QEMU, beside a container's cable. No guest is needed: rules see cables.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { macOf } from "../../src/domain/node/network-range.ts";
import { runOk } from "../../src/lib/run.ts";
import { expectHostAlone, expectNeighbourly, sendForbidden } from "../support/forbidden-packets.ts";
import {
  createNetworkLab,
  type LabDesktop,
  type LabMachine,
  type NetworkLab,
} from "../support/network-lab.ts";

const INSTANCE = "vtap";
const GATEWAY = { address: "10.239.0.1", mac: macOf("10.239.0.1") };

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
}, 180_000);
afterAll(() => lab.dispose(), 60_000);

const send = (from: LabMachine, to: LabMachine | LabDesktop) =>
  sendForbidden({ from, to, witnesses: [me, other, ...friends, container], gateway: GATEWAY });

describe("of all that a virtual machine can send", () => {
  test.each([
    ["another machine", () => other],
    ["a container", () => container],
  ])(
    "nothing reaches %s, and the box only what it says as itself",
    async (_whom, to) => {
      expectHostAlone(await send(me, to()));
    },
    180_000,
  );

  test("machines of one group hear each other as themselves, and get neither addresses nor routes", async () => {
    const [one, two] = [friends[0] ?? me, friends[1] ?? me];
    expectNeighbourly(await send(one, two), two, [me, other, container]);
  }, 180_000);

  test("one that was never plugged in reaches nothing at all", async () => {
    await runOk("emptying", ["/usr/sbin/nft", "flush", "set", "bridge", INSTANCE, "mac"]);
    expect(Object.values(await send(me, other)).flat()).toEqual([]);
  }, 180_000);
});

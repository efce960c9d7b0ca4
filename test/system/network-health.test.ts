/** What the host tells of a desktop's network, with real containers whose network is broken one way after the other. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { PortHealth } from "../../src/domain/node/port-health.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

let lab: DesktopLab;
let spec: DesktopSpec;
beforeAll(async () => {
  lab = await createDesktopLab("hvh", "10.234.0.0/24");
  spec = await lab.prepare("polite");
  await lab.hypervisor.start(spec, new AbortController().signal);
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

const check = () => lab.network.checkPort(spec.vmId, spec.port.address);
/** A question is given up after less than a second, in which a busy machine may do something else. */
async function expectWell(): Promise<void> {
  let last: PortHealth | undefined;
  const isWell = async () => {
    last = await check();
    return last.isOk;
  };
  await waitFor(isWell, { timeoutMs: 20_000 });
  expect(last).toEqual({ isOk: true });
}
const onHost = (...words: string[]) => runOk("breaking a network", ["/usr/sbin/ip", ...words]);
const inside = (...words: string[]) => lab.inNetworkOf(spec.vmId, ["/usr/sbin/ip", ...words]);

test("a running desktop's network is whole from its start on", async () => {
  await expectWell();
});

test("fifty who ask together get one answer each", async () => {
  const areAnswered = async () =>
    (await Promise.all(Array.from({ length: 50 }, check))).every(({ isOk }) => isOk);
  expect(await waitFor(areAnswered, { timeoutMs: 30_000 })).toBe(true);
});

test.each([
  ["down inside", ["link", "set", "eth0", "down"], ["link", "set", "eth0", "up"], "interface-down"],
  ["without its address", ["addr", "flush", "dev", "eth0"], ["addr", "add", "ADDRESS"], "no-answer"],
  [
    "under another hardware address",
    ["link", "set", "eth0", "address", "02:51:00:00:00:99"],
    ["link", "set", "eth0", "address", "MAC"],
    "no-answer",
  ],
])("a desktop whose network is %s is told apart", async (_how, breaking, mending, code) => {
  const { address, mac, prefixLength } = spec.port;
  await inside(...breaking);
  expect(await check()).toMatchObject({ isOk: false, code });
  const words = mending.map((word) =>
    word.replace("ADDRESS", `${address}/${prefixLength}`).replace("MAC", mac),
  );
  await inside(...words, ...(words[0] === "addr" ? ["dev", "eth0"] : []));
  await expectWell();
});

test("a port that was taken out of the bridge, or set down on the box, is told", async () => {
  const { interfaceName, bridge } = spec.port;
  await onHost("link", "set", interfaceName, "nomaster");
  expect(await check()).toMatchObject({ isOk: false, code: "not-in-bridge" });
  await onHost("link", "set", interfaceName, "master", bridge);
  await onHost("link", "set", interfaceName, "down");
  expect(await check()).toMatchObject({ isOk: false, code: "interface-down" });
  await onHost("link", "set", interfaceName, "up");
  await expectWell();
});

test("rules that somebody flushed are told, and come back with the next ensure", async () => {
  await runOk("flushing", ["/usr/sbin/nft", "flush", "set", "bridge", "hvh", "ip4"]);
  // Checks share what was read a moment ago.
  const isTold = async () => {
    const health = await check();
    return !health.isOk && health.code === "rules-missing";
  };
  expect(await waitFor(isTold, { timeoutMs: 30_000 })).toBe(true);
  await lab.network.addPort(spec.vmId, spec.port.address);
  await expectWell();
});

test("a desktop that doesn't run has no interface", async () => {
  const other = await lab.prepare("polite");
  expect(await lab.network.checkPort(other.vmId, other.port.address)).toMatchObject({
    isOk: false,
    code: "interface-missing",
  });
});

test("without its bridge nobody answers, and nothing hangs", async () => {
  await run(["/usr/sbin/ip", "link", "set", spec.port.bridge, "down"]);
  expect(await check()).toMatchObject({ isOk: false, code: "no-answer" });
  await lab.network.ensure();
  await expectWell();
});

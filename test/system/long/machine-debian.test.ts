/**
 * A real Debian as a virtual machine, from firmware to a picture: it boots from its own disk, asks for its
 * address, its agent greets over the serial port, makes the home on the person's disk, and a client of NX shows
 * the session. The executable under test is the image's agent.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openScreen, parseColour, type Screen } from "../../../bench/screen.ts";
import { readAccount } from "../../../src/cli/accounts.ts";
import { vmLayout } from "../../../src/domain/node/layout.ts";
import { parseNetworkPolicy } from "../../../src/domain/node/network-policy.ts";
import { parseNetworkRange } from "../../../src/domain/node/network-range.ts";
import type { MachineSpec } from "../../../src/hypervisor/driver.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { silentLog } from "../../../src/lib/log.ts";
import { run, runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { dnsmasqCommand, dnsmasqFiles } from "../../../src/network/dnsmasq-command.ts";
import { createGuestChannels, type GuestChannels } from "../../../src/node/guest-channel/guest-channels.ts";
import { createMachineLab, type MachineLab } from "../../support/machine-lab.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
const INSTANCE = "hvdeb";
const CIDR = "10.227.0.0/24";
const BACKGROUND = parseColour("#24476b");
/** Emulated, and perhaps beside others. */
const BOOT_MS = 900_000;
const SLOW_MS = 180_000;
const REQUEST = {
  session: 1,
  account: { login: "anna", uid: 2001, fullName: "Anna" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  slaveKey: "k",
  properties: {},
} as const;
const FLAG_TEXTS = { isNat: false, uplink: "", gateway: "", allow: "", domain: "", nameServers: "" };

describe.skipIf(!isLong)("a Debian machine (long form: set QVD_TEST_LONG=1)", () => {
  let folder: string;
  let lab: MachineLab;
  let screen: Screen;
  let channels: GuestChannels;
  let dnsmasq: Bun.Subprocess;
  let spec: MachineSpec;

  beforeAll(async () => {
    const script = fileURLToPath(new URL("../../../script/build-image", import.meta.url));
    const env =
      process.env.QVD_EXECUTABLE === undefined ? {} : { QVD_EXECUTABLE: process.env.QVD_EXECUTABLE };
    const built = await runOk("building the image", [script, "machine"], { timeoutMs: 600_000, env });
    folder = await mkdtemp(`/var/tmp/qvd-${INSTANCE}-run-`);
    await chmod(folder, 0o755);
    const files = dnsmasqFiles(folder);
    const account = readAccount("qvd-net");
    for (const part of [files.hostsFolder, files.optionsFolder]) await mkdir(part, { recursive: true });
    await mkdir(`${files.folder}/own`);
    await chown(`${files.folder}/own`, account.uid, account.gid);
    lab = await createMachineLab(INSTANCE, CIDR, {
      ...{ dnsmasq: files, memoryMb: 768, cpus: 2, hearsGuests: false },
    });
    const range = parseNetworkRange(CIDR);
    const policy = parseNetworkPolicy(FLAG_TEXTS, range);
    const command = dnsmasqCommand({ instance: INSTANCE, range, policy, files, account });
    dnsmasq = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"] });
    screen = await openScreen();
    channels = createGuestChannels({ log: silentLog(), clock: systemClock, onEvent: () => {} });
    spec = await lab.prepareImage(built.trim());
  }, 660_000);

  afterAll(async () => {
    channels?.closeAll();
    await screen?.close();
    await lab?.dispose();
    dnsmasq?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const openChannel = () =>
    channels.open(spec.vmId, {
      socketPath: vmLayout(lab.layout, spec.vmId).channelSocket,
      ownerUid: spec.idRange.first,
    });
  const isAttached = () => channels.read(spec.vmId)?.isAttached === true;
  /** A desktop that just boots may need longer for its first session than its agent waits; people come again. */
  const prepares = async () =>
    await channels
      .prepareSession(spec.vmId, { ...REQUEST, accept: spec.port.gateway }, BOOT_MS)
      .then(() => true)
      .catch((error: Error) => {
        if (error.message.includes("session-start-timeout")) return false;
        throw error;
      });
  const becomes = (condition: () => boolean | Promise<boolean>, timeoutMs: number) =>
    waitFor(condition, { timeoutMs, everyMs: 50 });

  test(
    "boots from its disk, and its agent greets",
    async () => {
      openChannel();
      const startedMs = performance.now();
      await lab.hypervisor.start(spec, new AbortController().signal);
      expect(await becomes(isAttached, BOOT_MS)).toBe(true);
      process.stderr.write(`agent after ${Math.round(performance.now() - startedMs)} ms\n`);
    },
    BOOT_MS + 10_000,
  );

  test(
    "has asked for the address that is its own",
    async () => {
      const hasAddress = () => channels.read(spec.vmId)?.address === spec.port.address;
      expect(await becomes(hasAddress, SLOW_MS)).toBe(true);
    },
    SLOW_MS + 5_000,
  );

  test(
    "shows its session to an NX client, with a home on the person's disk",
    async () => {
      expect(await becomes(prepares, BOOT_MS)).toBe(true);
      const proxy = Bun.spawn(["nxproxy", "-S", `${spec.port.address}:100`], {
        env: { ...screen.env },
        stdio: ["ignore", "ignore", "ignore"],
      });
      const isPainted = async () => (await screen.readCover(BACKGROUND)) > 0.2;
      expect(await becomes(isPainted, SLOW_MS)).toBe(true);
      proxy.kill("SIGKILL");
      await proxy.exited;
    },
    2 * BOOT_MS + 2 * SLOW_MS,
  );

  test(
    "greets again when the node has been away, without a restart",
    async () => {
      const boot = channels.read(spec.vmId)?.boot;
      channels.close(spec.vmId);
      openChannel();
      expect(await becomes(isAttached, SLOW_MS)).toBe(true);
      expect(channels.read(spec.vmId)?.boot).toBe(boot ?? "");
    },
    SLOW_MS + 5_000,
  );

  test(
    "powers off when its agent is asked to, and leaves the home on the person's disk",
    async () => {
      await channels.powerOff(spec.vmId, SLOW_MS);
      const isDown = async () => (await lab.hypervisor.observe()).get(spec.vmId)?.isAlive !== true;
      expect(await becomes(isDown, SLOW_MS)).toBe(true);
      const home = spec.homeDisk ?? "";
      const listed = await run(["/usr/sbin/debugfs", "-R", "ls -p /anna", home]);
      expect(listed.stdout).toContain(".bashrc");
    },
    2 * SLOW_MS + 5_000,
  );

  test(
    "goes down by its power button where no agent is asked",
    async () => {
      await lab.hypervisor.cleanUp(spec.vmId);
      channels.close(spec.vmId);
      openChannel();
      await lab.hypervisor.start(spec, new AbortController().signal);
      expect(await becomes(isAttached, BOOT_MS)).toBe(true);
      // The agent is up before whoever listens for the button is: it is pressed until somebody hears.
      await lab.hypervisor.halt(spec.vmId);
      const isDown = async () => (await lab.hypervisor.observe()).get(spec.vmId)?.isAlive !== true;
      expect(await becomes(isDown, SLOW_MS)).toBe(true);
    },
    BOOT_MS + SLOW_MS + 5_000,
  );
});

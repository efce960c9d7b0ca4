/**
 * Virtual machines as a site has them: a whole box, set up by its own commands, with a Debian that has our agent and
 * a machine that has nothing of ours. A person's session goes by the broker, and outlives the node.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openScreen, type Screen } from "../../../bench/screen.ts";
import { asId, type VmId } from "../../../src/domain/ids.ts";
import { machineHome } from "../../../src/domain/node/machine-disks.ts";
import { listProcesses } from "../../../src/hypervisor/lxc/cgroup-tree.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { addPerson } from "../../support/fault-lab.ts";
import { type Person, Visit } from "../../support/nx-visit.ts";
import { WholeBox } from "../../support/whole-box.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
const BACKGROUND = "#24476b";
const BUILD_MS = 900_000;
/** Emulated, and perhaps beside others. */
const BOOT_MS = 400_000;
const SLOW_MS = 180_000;
const LOOK_MS = 2 * SLOW_MS + 10_000;
const LOOK = { colour: BACKGROUND, shownMs: SLOW_MS, answerMs: SLOW_MS };

describe.skipIf(!isLong)("machines on a whole box (long form: set QVD_TEST_LONG=1)", () => {
  let box: WholeBox;
  let screen: Screen;
  let folder: string;
  let anna: Person;
  let visit: Visit;

  beforeAll(async () => {
    folder = await mkdtemp("/var/tmp/qvd-mchbox-images-");
    box = await WholeBox.create({
      ...{ instance: "mchbox", cidr: "10.211.0.0/16", ports: { broker: 27_321, admin: 27_322 } },
      ...{ startTimeoutSeconds: 100, diskMb: 6_000 },
    });
    const script = fileURLToPath(new URL("../../../script/build-image", import.meta.url));
    const env = { QVD_EXECUTABLE: process.env.QVD_EXECUTABLE ?? box.executable };
    const image = await runOk("building the image", [script, "machine"], { timeoutMs: BUILD_MS, env });
    await box.start();
    await box.qvdOk("tenant", "create", "default");
    const password = await box.qvdOk("administrator", "create", "admin", "--generate");
    await box.qvd(["admin", "sign-in", "admin"], password);
    const size = ["--memory", "768", "--cpus", "2", "--home-limit", "512"];
    await box.qvdOk("osf", "create", "debian", "--hypervisor", "kvm", ...size);
    await box.qvdOk("image", "add", image.trim(), "--osf", "debian", "--tag", "default");
    anna = await addPerson(box, "anna", "debian");
    screen = await openScreen();
  }, BUILD_MS);

  afterAll(async () => {
    await visit?.leave();
    await screen?.close();
    await box?.dispose();
    await rm(folder, { recursive: true, force: true });
  }, 120_000);

  const becomes = async (vmId: number, state: string, timeoutMs: number) => {
    const rows = () =>
      box.database.sql<{ state: string }[]>`select state from vm_reports where vm_id = ${vmId}`;
    const isThere = async () => ((await rows())[0]?.state ?? "stopped") === state;
    return (await waitFor(isThere, { timeoutMs, everyMs: 100 })) === true;
  };
  const pidOf = async (vmId: number) => (await listProcesses(box.tree, "machine", asId<VmId>(vmId)))[0] ?? 0;

  test(
    "a Debian boots, and is running when its agent and its network are",
    async () => {
      const startedMs = performance.now();
      await box.qvdOk("vm", "start", "anna-desk");
      expect(await becomes(anna.vmId, "running", BOOT_MS)).toBe(true);
      process.stderr.write(`running after ${Math.round(performance.now() - startedMs)} ms\n`);
    },
    BOOT_MS + 10_000,
  );

  test(
    "its person signs in through the broker and sees the desktop",
    async () => {
      visit = await Visit.open(screen, box.brokerPort, anna, LOOK);
      expect(visit.isOver).toBe(false);
    },
    LOOK_MS,
  );

  test("machine and session go on while the node is killed and comes back", async () => {
    const before = await pidOf(anna.vmId);
    await box.killPart("node");
    const attached = async () => {
      const rows = await box.database.sql<{ code: string }[]>`
        select code from vm_events where vm_id = ${anna.vmId} order by id desc limit 20`;
      return rows.some(({ code }) => code === "desktop-found");
    };
    expect(await waitFor(attached, { timeoutMs: 60_000 })).toBe(true);
    expect(await becomes(anna.vmId, "running", 60_000)).toBe(true);
    expect(await pidOf(anna.vmId)).toBe(before);
    expect(visit.isOver).toBe(false);
  }, 150_000);

  test(
    "its person comes back by the new node",
    async () => {
      await visit.leave();
      visit = await Visit.open(screen, box.brokerPort, anna, LOOK);
      expect(visit.isOver).toBe(false);
    },
    LOOK_MS,
  );

  test("the box tells whether its machines are emulated", async () => {
    // The node that has just come back reports within ten seconds.
    const seen = await waitFor(
      async () => {
        const status = JSON.parse((await box.qvd(["node", "status", "--json"])).stdout);
        return status.node?.facts?.machines === undefined ? undefined : status;
      },
      { timeoutMs: 30_000, everyMs: 500 },
    );
    const texts = seen?.problems.map((one: { readonly text: string }) => one.text).join("\n");
    expect(["kvm", "tcg"]).toContain(seen?.node.facts.machines);
    expect(texts.includes("emulated")).toBe(seen?.node.facts.machines === "tcg");
  }, 40_000);

  test(
    "a stop takes it down by its agent, and leaves nothing but the person's disk",
    async () => {
      await box.qvdOk("vm", "stop", "anna-desk");
      expect(await becomes(anna.vmId, "stopped", SLOW_MS)).toBe(true);
      expect(await pidOf(anna.vmId)).toBe(0);
      expect(existsSync(`${box.layout.vmsFolder}/${anna.vmId}`)).toBe(false);
      expect(existsSync(machineHome(box.layout, asId<VmId>(anna.vmId)))).toBe(true);
      const rows = await box.database.sql<{ code: string }[]>`
      select code from vm_events where vm_id = ${anna.vmId} order by id`;
      expect(rows.map(({ code }) => code)).toContain("poweroff-answered");
    },
    SLOW_MS + 30_000,
  );

  test("a machine without our agent runs, is seen on its console, and is stopped", async () => {
    const sector = new Uint8Array(1 << 20);
    sector.set([0xeb, 0xfe]);
    sector.set([0x55, 0xaa], 510);
    await writeFile(`${folder}/installer.raw`, sector);
    await box.qvdOk("osf", "create", "installer", "--hypervisor", "kvm", "--agent", "no", "--memory", "128");
    await box.qvdOk("image", "add", `${folder}/installer.raw`, "--osf", "installer", "--tag", "default");
    const bob = await addPerson(box, "bob", "installer");
    await box.qvdOk("vm", "start", "bob-desk");
    expect(await becomes(bob.vmId, "running", 60_000)).toBe(true);
    const socket = await box.qvdOk("vm", "console", "bob-desk");
    expect(await readGreeting(socket)).toBe("RFB 003.008\n");
    await box.qvdOk("vm", "stop", "bob-desk");
    expect(await becomes(bob.vmId, "stopped", 120_000)).toBe(true);
    expect(await pidOf(bob.vmId)).toBe(0);
  }, 240_000);

  test("a deleted desktop's disk is put aside, never destroyed", async () => {
    await box.qvdOk("vm", "delete", "anna-desk");
    const isAside = async () => {
      const glob = new Bun.Glob(`deleted-${anna.vmId}-*.disk`);
      for await (const _name of glob.scan(box.layout.homesFolder)) return true;
      return false;
    };
    expect(await waitFor(isAside, { timeoutMs: 30_000 })).toBe(true);
  }, 60_000);

  test("nothing is left of the box but its data", async () => {
    await visit.leave();
    expect(await box.interrupt()).toBe(0);
    expect(await box.countLeftovers()).toEqual([]);
  }, 90_000);
});

/** What a server of VNC says first to whoever comes. */
async function readGreeting(path: string): Promise<string> {
  const said = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    unix: path,
    socket: {
      data: (_socket, chunk) => said.resolve(chunk.toString("latin1")),
      close: () => said.resolve(""),
    },
  });
  try {
    return await Promise.race([said.promise, Bun.sleep(SLOW_MS).then(() => "nothing")]);
  } finally {
    socket.end();
  }
}

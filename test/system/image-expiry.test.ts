/**
 * A newer image is published while somebody works: they read of it in a window on their own screen, later the desktop is
 * stopped, and its next start is the newer one. Real containers, the real agent, and Debian's nxproxy as the client.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { DiId, VmId } from "../../src/domain/ids.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { Context } from "../../src/service/context.ts";
import { publishImage } from "../../src/service/image/publish.ts";
import { changeOsf } from "../../src/service/osf/change.ts";
import { buildDisplayRoot } from "../support/display-root.ts";
import { NodeLab } from "../support/node-lab.ts";
import { buildAgent, createScreen, ensureArchive, type NxClient } from "./guest-lab.ts";

const AGENT = "/var/tmp/qvd-expsys-agent";
const PLACE = { instance: "expsys", network: "10.214.1", screen: ":71" };
/** Nothing but a plain colour: what else is seen later came by itself. */
const SESSION = "#!/bin/sh\nxsetroot -solid '#204080'\nexec sleep 1000000\n";
const COLOUR = "#204080";
const NOTICE =
  /There is a newer version of this desktop\. Please save your work and shut it down; in .* it is stopped by itself\./;

let lab: NodeLab;
let screen: Awaited<ReturnType<typeof createScreen>>;
let administrator: Context;
let vm: VmId;
let newer: DiId;
let client: NxClient;

beforeAll(async () => {
  await buildAgent(AGENT);
  const scratch = await mkdtemp("/var/tmp/qvd-expsys-image-");
  lab = await NodeLab.create({
    ...PLACE,
    archive: await addSession(await buildDisplayRoot(), scratch),
    agentExecutable: AGENT,
    limits: { startTimeoutMs: 40_000 },
  });
  await rm(scratch, { recursive: true });
  administrator = {
    db: lab.rows.database.open("qvd_admin").orm,
    actor: { kind: "system", what: "test" },
  };
  vm = await lab.rows.addVm("Anna's desktop");
  // It has no xmessage, by which it is known.
  newer = await lab.rows.addImage("2");
  await lab.layImage(newer, await ensureArchive());
  screen = await createScreen(PLACE);
  await lab.startNode();
}, 900_000);
afterAll(async () => {
  await client?.drop();
  await screen?.stop();
  await lab?.dispose();
  await rm(AGENT, { force: true });
}, 120_000);

/** The archive with a session of our own in it. */
async function addSession(archive: string, scratch: string): Promise<string> {
  await cp(archive, `${scratch}/desk.tar`);
  await mkdir(`${scratch}/etc/qvd`, { recursive: true });
  await writeFile(`${scratch}/etc/qvd/session`, SESSION, { mode: 0o755 });
  const add = ["tar", "--append", "--owner=0", "--group=0", "-C", scratch, "-f", `${scratch}/desk.tar`];
  await runOk("adding a session to the root", [...add, "etc/qvd/session"]);
  return `${scratch}/desk.tar`;
}

const publish = async (times: { expirySoftSeconds: number; expiryHardSeconds: number }) => {
  await changeOsf(administrator, { osfId: lab.rows.osfId, ...times });
  await publishImage(administrator, { diId: newer, tags: ["default"] });
  lab.rows.onChange(vm);
};
const plainPixels = () => client.countPixels(COLOUR);
const windows = async () => (await lab.findPids(vm, "/usr/bin/xmessage ")).length;

test("somebody works on the image before", async () => {
  const session = await lab.rows.requestSession(vm);
  await lab.rows.wish(vm, "running");
  expect(await lab.rows.sessionReaches(session, "listening", 90_000)).toBe(true);
  client = screen.connect(`${PLACE.network}.2`);
  // All of 1024x768 but, with some window managers, a corner.
  const isPainted = async () => (await plainPixels()) > 780_000;
  expect(await waitFor(isPainted, { timeoutMs: 40_000, everyMs: 100 })).toBe(true);
  expect((await lab.rows.row(vm)).di_id).toBe(lab.rows.diId);
}, 180_000);

test("at the soft expiry they read of it in a window on their screen", async () => {
  await publish({ expirySoftSeconds: 1, expiryHardSeconds: 3600 });
  expect(await lab.rows.tells(vm, "expiry-told", 30_000)).toBe(true);
  expect(await lab.rows.textOf(vm, "expiry-told")).toMatch(NOTICE);
  expect(await waitFor(async () => (await windows()) === 1, { timeoutMs: 30_000 })).toBe(true);
  // A window of four lines of text covers what was plain before.
  const isSeen = async () => (await plainPixels()) < 760_000;
  expect(await waitFor(isSeen, { timeoutMs: 30_000, everyMs: 100 })).toBe(true);
  expect(await plainPixels()).toBeGreaterThan(500_000);
}, 120_000);

test("they are told once, and the desktop goes on", async () => {
  lab.rows.onChange(vm);
  const hasChanged = async () => (await windows()) !== 1 || (await lab.rows.state(vm)) !== "running";
  expect(await waitFor(hasChanged, { timeoutMs: 3_000, everyMs: 200 })).toBeUndefined();
  expect((await lab.rows.trail(vm)).filter((code) => code === "expiry-told")).toHaveLength(1);
}, 180_000);

test("at the hard expiry the desktop is stopped by the flavour's word, and their screen goes", async () => {
  await publish({ expirySoftSeconds: 1, expiryHardSeconds: 2 });
  expect(await lab.rows.reaches(vm, "stopped", 60_000)).toBe("stopped");
  expect(await lab.rows.row(vm)).toMatchObject({ wish: "stopped", wished_by: "system:expired" });
  const isGone = async () => (await plainPixels()) === 0;
  expect(await waitFor(isGone, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
  expect((await lab.rows.trail(vm)).slice(-3)).toEqual([
    "stop-taken",
    "poweroff-answered",
    "desktop-stopped",
  ]);
}, 120_000);

test("the next start is the newer image, with nothing to tell", async () => {
  await lab.rows.wish(vm, "running");
  expect(await lab.rows.reaches(vm, "running", 90_000)).toBe("running");
  expect(await lab.rows.row(vm)).toMatchObject({ di_id: newer });
  const pid = await lab.init(vm);
  expect(await Bun.file(`/proc/${pid}/root/usr/bin/xterm`).exists()).toBe(true);
  expect(await Bun.file(`/proc/${pid}/root/usr/bin/xmessage`).exists()).toBe(false);
  expect((await lab.rows.trail(vm)).filter((code) => code === "expiry-told")).toHaveLength(1);
}, 120_000);

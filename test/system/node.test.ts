/** The node with real desktops: a person's X session outlives it, and a stopped desktop leaves nothing. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import type { SessionId, VmId } from "../../src/domain/ids.ts";
import { homeFolder } from "../../src/domain/node/layout.ts";
import { readProcessIdentity } from "../../src/lib/process.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { NodeLab } from "../support/node-lab.ts";
import { buildAgent, ensureArchive } from "./guest-lab.ts";

const AGENT = "/var/tmp/qvd-ndsys-agent";
const NXAGENT = "nxagent";

let lab: NodeLab;
let vm: VmId;
let session: SessionId;

beforeAll(async () => {
  await buildAgent(AGENT);
  lab = await NodeLab.create({
    instance: "ndsys",
    network: "10.215.0",
    archive: await ensureArchive(),
    agentExecutable: AGENT,
    limits: { startTimeoutMs: 60_000 },
  });
  vm = await lab.rows.addVm("Anna's desktop");
}, 700_000);
afterAll(async () => {
  await lab?.dispose();
  await Bun.file(AGENT).delete();
}, 120_000);

test("a session request starts the desktop, and its X session waits for the client", async () => {
  await lab.startNode();
  session = await lab.rows.requestSession(vm);
  await lab.rows.wish(vm, "running");
  expect(await lab.rows.sessionReaches(session, "listening", 90_000)).toBe(true);
  expect(await lab.rows.session(session)).toMatchObject({ address: "10.215.0.2", port: 4100 });
  expect(await lab.rows.state(vm)).toBe("running");
  expect(await lab.findPids(vm, NXAGENT)).not.toEqual([]);
}, 120_000);

test("SIGKILL of the node ends neither desktop nor session, and the next node finds both", async () => {
  const before = await identities();
  await lab.signalNode("SIGKILL");
  expect(await identities()).toEqual(before);
  await lab.startNode();
  expect(await lab.rows.tells(vm, "desktop-found", 30_000)).toBe(true);
  const next = await lab.rows.requestSession(vm);
  expect(await lab.rows.sessionReaches(next, "listening", 40_000)).toBe(true);
  expect(await identities()).toEqual(before);
}, 120_000);

test("SIGTERM hands over: the desktop goes on", async () => {
  const before = await identities();
  await lab.signalNode("SIGTERM");
  expect(await identities()).toEqual(before);
  await lab.startNode();
}, 180_000);

test("a way to the box that was taken away while there was no node is widened by the next", async () => {
  const gateway = "10.215.0.1";
  const route = async (...words: string[]) => {
    const enter = ["/usr/bin/nsenter", `--target=${await lab.init(vm)}`, "--net", "--"];
    return await runOk("reading a route", [...enter, "/usr/sbin/ip", "route", ...words]);
  };
  const isWide = async () => (await route("get", gateway)).includes("mtu 65520");
  const before = await identities();
  expect(await waitFor(isWide, { timeoutMs: 20_000 })).toBe(true);
  await lab.signalNode("SIGKILL");
  await route("del", `${gateway}/32`);
  expect(await isWide()).toBe(false);
  await lab.startNode();
  expect(await waitFor(isWide, { timeoutMs: 20_000 })).toBe(true);
  expect(await lab.log()).not.toContain("way-not-widened");
  expect(await identities()).toEqual(before);
}, 120_000);

test("SIGKILL of the agent ends no session, and the desktop stays running", async () => {
  const before = await identities();
  const agents = await lab.findPids(vm, "/opt/qvd/qvd");
  expect(agents.length).toBeGreaterThan(0);
  for (const pid of agents) process.kill(pid, "SIGKILL");
  const isBack = async () => (await lab.findPids(vm, "/opt/qvd/qvd")).some((pid) => !agents.includes(pid));
  expect(await waitFor(isBack, { timeoutMs: 20_000 })).toBe(true);
  const next = await lab.rows.requestSession(vm);
  expect(await lab.rows.sessionReaches(next, "listening", 40_000)).toBe(true);
  expect(await identities()).toEqual(before);
  expect(await lab.rows.state(vm)).toBe("running");
}, 120_000);

test("a stop leaves nothing on the machine but the home", async () => {
  await lab.rows.wish(vm, "stopped");
  expect(await lab.rows.reaches(vm, "stopped", 40_000)).toBe("stopped");
  expect(await lab.count()).toEqual([]);
  expect(await readdir(homeFolder(lab.layout, vm))).toContain("anna");
  expect((await lab.rows.trail(vm)).slice(-3)).toEqual([
    "stop-taken",
    "poweroff-answered",
    "desktop-stopped",
  ]);
}, 120_000);

test("a desktop that died while there was no node is cleaned up and started again", async () => {
  await lab.rows.wish(vm, "running");
  expect(await lab.rows.reaches(vm, "running", 60_000)).toBe("running");
  await lab.signalNode("SIGKILL");
  process.kill((await lab.init(vm)) ?? 0, "SIGKILL");
  await lab.startNode();
  expect(await lab.rows.tells(vm, "desktop-crashed", 30_000)).toBe(true);
  expect(await lab.rows.reaches(vm, "running", 60_000)).toBe("running");
}, 180_000);

test("SIGINT shuts the box down: the desktop is stopped, its wish stands", async () => {
  await lab.signalNode("SIGINT");
  expect(await lab.count()).toEqual([]);
  expect(await lab.rows.row(vm)).toMatchObject({ state: "stopped", wish: "running" });
}, 180_000);

/** Init and nxagent of the desktop: the same as long as neither was restarted. */
async function identities() {
  const pids = [await lab.init(vm), ...(await lab.findPids(vm, NXAGENT))];
  return pids.map((pid) => readProcessIdentity(pid ?? 0));
}

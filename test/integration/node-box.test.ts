/** A node process as a whole, without desktops: its workers, its file, its lease, its report, its database. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { sql } from "drizzle-orm";
import type { NodeFacts } from "../../src/domain/node/report.ts";
import { isProcessRunning, listCgroupPids, type ProcessIdentity } from "../../src/lib/process.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { endLeftWorkers } from "../../src/node/end-left-workers.ts";
import { LOOP_OPTIONS } from "../../src/node/loop.ts";
import { readProcessFile, writeProcessFile } from "../../src/node/process-file.ts";
import { NodeLab } from "../support/node-lab.ts";

const SCRIPT = "/var/tmp/qvd-ndbox-empty.tar";
let lab: NodeLab;

beforeEach(async () => {
  await writeFile(SCRIPT, "not read in these tests");
  lab = await NodeLab.create({
    instance: "ndbox",
    network: "10.217.0",
    archive: SCRIPT,
    agentExecutable: "/bin/true",
    workers: ["auth", "broker-1"].map((name) => ({
      name,
      command: ["/bin/sh", "-c", 'echo "$WHOSE up"; exec sleep 600'],
      account: { uid: 65_534, gid: 65_534 },
      env: { WHOSE: name },
    })),
  });
}, 30_000);
afterEach(async () => {
  await lab.dispose();
  await rm(SCRIPT, { force: true });
}, 30_000);

const workers = () => readProcessFile(lab.layout.nodeProcessFile)?.workers ?? [];
const find = (name: string) => workers().find((worker) => worker.name === name);

async function facts(): Promise<{ state: string; facts: NodeFacts } | undefined> {
  const rows = await lab.rows.owner.execute<{ state: string; facts: NodeFacts }>(
    sql`select state, facts from node_reports`,
  );
  return rows[0];
}

function kill(identity: ProcessIdentity | undefined): void {
  if (identity !== undefined) process.kill(identity.pid, "SIGKILL");
}

describe("workers", () => {
  test("run as their own accounts, in their own control groups, with logs of their own", async () => {
    await lab.startNode();
    const auth = find("auth");
    expect(await waitFor(() => auth && isProcessRunning(auth), { timeoutMs: 15_000 })).toBe(true);
    const isDropped = async () =>
      /^Uid:\s+65534\s/m.test(await readFile(`/proc/${auth?.pid}/status`, "utf8"));
    expect(await waitFor(isDropped, { timeoutMs: 15_000 })).toBe(true);
    const status = await readFile(`/proc/${auth?.pid}/status`, "utf8");
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(await readFile(`/proc/${auth?.pid}/cgroup`, "utf8")).toContain("/ndbox/p/auth");
    const log = () => readFile(`${lab.layout.logsFolder}/auth.log`, "utf8").catch(() => "");
    expect(await waitFor(async () => (await log()) === "auth up\n", { timeoutMs: 15_000 })).toBe(true);
  }, 90_000);

  test("are found again by the next node, and left alone by one that hands over or is killed", async () => {
    await lab.startNode();
    const before = workers();
    await lab.signalNode("SIGKILL");
    await lab.startNode();
    expect(workers()).toEqual(before);
    await lab.signalNode("SIGTERM");
    for (const worker of before) expect(isProcessRunning(worker)).toBe(true);
    await lab.startNode();
    expect(workers()).toEqual(before);
  }, 90_000);

  test("come back when they are killed, whether they are children of this node or of an earlier one", async () => {
    await lab.startNode();
    const first = find("broker-1");
    kill(first);
    expect(await waitFor(() => hasChanged(first), { timeoutMs: 20_000 })).toBe(true);
    await lab.signalNode("SIGKILL");
    await lab.startNode();
    const second = find("broker-1");
    kill(second);
    expect(await waitFor(() => hasChanged(second), { timeoutMs: 20_000 })).toBe(true);
    expect(find("broker-1")?.restarts).toBeGreaterThanOrEqual(2);
  }, 90_000);

  test("end with the box, and leave no control group", async () => {
    await lab.startNode();
    const before = workers();
    await lab.signalNode("SIGINT");
    for (const worker of before) expect(isProcessRunning(worker)).toBe(false);
    expect(workers()).toEqual([]);
    expect(readProcessFile(lab.layout.nodeProcessFile)?.node).toBeNull();
    expect(await facts()).toMatchObject({ state: "stopped" });
  }, 90_000);
});

/** While an interface of the host lies in the desktops' range, no node can start. */
async function whileRefused(work: () => Promise<void>): Promise<void> {
  const ip = (...words: readonly string[]) => runOk("changing a link", ["/usr/sbin/ip", ...words]);
  await ip("link", "add", "ndboxother", "type", "bridge");
  try {
    await ip("addr", "add", "10.217.0.200/28", "dev", "ndboxother");
    await expect(lab.startNode()).rejects.toThrow("QVD_NETWORK_RANGE");
    await work();
  } finally {
    await ip("link", "del", "ndboxother");
  }
}

describe("a start that fails", () => {
  test("ends the workers that it started, and the next one starts them", async () => {
    await whileRefused(async () => {
      expect(await lab.log()).toContain("worker-started");
      expect(listCgroupPids(`${lab.tree.unified}/ndbox/p`)).toEqual([]);
      expect(readProcessFile(lab.layout.nodeProcessFile)).toMatchObject({ node: null, workers: [] });
    });
    await lab.startNode();
    expect(workers().map(({ name }) => name)).toEqual(["auth", "broker-1"]);
  }, 90_000);

  test("leaves those alone that an earlier node started", async () => {
    await lab.startNode();
    const before = workers();
    await lab.signalNode("SIGKILL");
    await whileRefused(async () => {
      expect(workers()).toEqual(before);
      expect(before.every(isProcessRunning)).toBe(true);
    });
  }, 90_000);
});

describe("left workers", () => {
  test("are those of a node that lives no more, and end with the box", async () => {
    const file = lab.layout.nodeProcessFile;
    expect(await endLeftWorkers(file)).toEqual([]);
    await lab.startNode();
    const before = workers();
    expect(await endLeftWorkers(file)).toEqual([]);
    expect(before.every(isProcessRunning)).toBe(true);
    await lab.signalNode("SIGKILL");
    expect(await endLeftWorkers(file)).toEqual(before);
    expect(before.some(isProcessRunning)).toBe(false);
    expect(readProcessFile(file)).toMatchObject({ node: null, workers: [] });
  }, 90_000);

  test("are never a stranger that has got the pid of one", async () => {
    await lab.startNode();
    const before = workers();
    await lab.signalNode("SIGKILL");
    const file = readProcessFile(lab.layout.nodeProcessFile);
    if (file === undefined) throw new Error("there is no process file");
    const older = before.map((worker) => ({ ...worker, startTicks: worker.startTicks - 1 }));
    writeProcessFile(lab.layout.nodeProcessFile, { ...file, workers: older });
    expect(await endLeftWorkers(lab.layout.nodeProcessFile)).toEqual([]);
    expect(before.every(isProcessRunning)).toBe(true);
    // For the lab to end.
    writeProcessFile(lab.layout.nodeProcessFile, file);
  }, 90_000);
});

function hasChanged(worker: ProcessIdentity | undefined): boolean {
  const now = find("broker-1");
  return now !== undefined && now.pid !== worker?.pid && isProcessRunning(now);
}

test("the node registers, holds its lease and says what is true of the box", async () => {
  await lab.startNode();
  expect(await waitFor(async () => (await facts())?.state === "running", { timeoutMs: 20_000 })).toBe(true);
  const report = await facts();
  expect(report?.facts).toMatchObject({ instance: "ndbox", version: "0.0.0-test", lease: { isHeld: true } });
  expect(report?.facts.workers.map((worker) => [worker.name, worker.state])).toEqual([
    ["auth", "running"],
    ["broker-1", "running"],
  ]);
  const leases = await lab.rows.owner.execute<{ isValid: boolean }>(
    sql`select valid_until > qvd_now() as "isValid" from leases`,
  );
  expect(leases).toMatchObject([{ isValid: true }]);
}, 90_000);

test("a second node of the same box is refused", async () => {
  await lab.startNode();
  const first = lab.node;
  await expect(lab.startNode()).resolves.toBeUndefined();
  const second = lab.node;
  expect(await waitFor(() => second && !isProcessRunning(second), { timeoutMs: 20_000 })).toBe(true);
  expect(await lab.log()).toContain("already is the node of this box");
  kill(first);
}, 90_000);

test("a wish is heard of by NOTIFY as well, as from another box", async () => {
  await lab.startNode();
  const vm = await lab.rows.addVm("far");
  lab.rows.onChange = () => {};
  await lab.rows.owner.execute(sql`delete from di_tags`);
  await lab.rows.wish(vm, "running");
  const notice = `another-box\n${JSON.stringify({ topic: "vm", vmId: vm })}`;
  await lab.rows.owner.execute(sql`select pg_notify('qvd', ${notice})`);
  // Sooner than it asks for news by itself.
  expect(await lab.rows.tells(vm, "start-given-up", LOOP_OPTIONS.newsMs / 2)).toBe(true);
}, 90_000);

test("an image that was enrolled is judged, with the reason", async () => {
  await lab.startNode();
  const di = await lab.rows.addImage("letter", "new");
  await writeFile(`${lab.layout.incomingFolder}/desk.tar`, "no image, but a letter\n");
  lab.wakeFor("image");
  const row = async () => {
    const rows = await lab.rows.owner.execute<{ state: string; fault: string }>(
      sql`select state, fault from dis where id = ${di}`,
    );
    return rows[0];
  };
  expect(await waitFor(async () => (await row())?.state === "failed", { timeoutMs: 20_000 })).toBe(true);
  expect((await row())?.fault).toContain("image");
  expect(await Bun.file(`${lab.layout.imagesFolder}/${di}-desk.tar`).exists()).toBe(false);
}, 90_000);

test("desktops that went down with the machine are told of, though the first node process ended before it could", async () => {
  await lab.startNode();
  const hasLooked = () => readProcessFile(lab.layout.nodeProcessFile)?.hasLookedAround === true;
  expect(await waitFor(hasLooked, { timeoutMs: 20_000 })).toBe(true);
  await lab.signalNode("SIGKILL");
  const file = readProcessFile(lab.layout.nodeProcessFile);
  if (file === undefined) throw new Error("there is no process file");
  writeProcessFile(lab.layout.nodeProcessFile, { ...file, hasLookedAround: false });
  const vm = await lab.rows.addVm("one");
  await lab.rows.owner.execute(sql`update vms set node_id = ${file.nodeId} where id = ${vm}`);
  await lab.rows.owner.execute(sql`insert into vm_reports (vm_id, node_id, epoch, state, has_agent)
    select id, node_id, epoch, 'running', true from vms where id = ${vm}`);
  await lab.startNode();
  expect(await lab.rows.tells(vm, "desktop-ended")).toBe(true);
  expect(await lab.rows.textOf(vm, "desktop-ended")).toContain("box was switched off");
  expect(await waitFor(hasLooked, { timeoutMs: 20_000 })).toBe(true);
}, 90_000);

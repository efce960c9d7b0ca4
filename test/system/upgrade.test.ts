/**
 * A whole box that is upgraded by another build of the executable while somebody works: new brokers have the port, the
 * old one carries the session on, and what goes on is told. The desktop is another box's, played by the test.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isProcessRunning } from "../../src/lib/process.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { readProcessFile } from "../../src/node/process-file.ts";
import { askPing } from "../support/ask-ping.ts";
import { createBoundlessOsf } from "../support/boundless-osf.ts";
import { watchNumbers } from "../support/numbered-session.ts";
import { type PlayedDesktop, playDesktop } from "../support/played-desktop.ts";
import { WholeBox } from "../support/whole-box.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let box: WholeBox;
let desktop: PlayedDesktop;
let alice: { readonly vmId: number; readonly password: string };

beforeAll(async () => {
  box = await WholeBox.create({
    instance: "upgrade",
    cidr: "10.219.0.0/16",
    ports: { broker: 27_311, admin: 27_312 },
    startTimeoutSeconds: 6,
    diskMb: 1_500,
  });
  await box.start();
  await box.qvdOk("tenant", "create", "default");
  const administrator = await box.qvdOk("administrator", "create", "admin", "--generate");
  expect((await box.qvd(["admin", "sign-in", "admin"], administrator)).exitCode).toBe(0);
  const password = await box.qvdOk("user", "create", "alice", "--generate");
  await createBoundlessOsf(box, "light", 256);
  const made = await box.qvdOk("vm", "create", "desk", "--user", "alice", "--osf", "light", "--json");
  alice = { password, vmId: JSON.parse(made).id };
  desktop = await playDesktop(box.layout.tlsKey, box.layout.tlsCertificate);
  const { sql } = box.database;
  const [far] = await sql<{ id: number }[]>`
    insert into nodes (name, address) values ('far', ${`127.0.0.1:${desktop.port}`}) returning id`;
  await sql`update vms set node_id = ${far?.id ?? 0} where id = ${alice.vmId}`;
}, 400_000);
afterAll(async () => {
  desktop?.close();
  await box?.dispose();
}, 120_000);

const brokers = () =>
  (readProcessFile(box.layout.nodeProcessFile)?.workers ?? []).filter(({ name }) =>
    name.startsWith("broker"),
  );

/** As the desktop's node would: its session listens. */
async function reportListening(): Promise<void> {
  const isDone = async () => {
    const rows = await box.database
      .sql`update sessions set state = 'listening', address = '127.0.0.1', port = 4100
      where vm_id = ${alice.vmId} and state = 'requested' and ended_at is null returning id`;
    return rows.length > 0;
  };
  if (!(await waitFor(isDone, { timeoutMs: 20_000 }))) throw new Error("nobody asked for a session");
}

test("an upgrade replaces the brokers, and a session with traffic sees no break", async () => {
  const [session] = await Promise.all([
    watchNumbers(box.brokerPort, { ...alice, login: "alice" }),
    reportListening(),
  ]);
  const before = brokers();
  expect(before.length).toBe(2);
  const [built, newer] = [`${ROOT}/dist/qvd-newer-${process.pid}`, `${box.executable}.new`];
  await runOk("compile another version", [process.execPath, "run", "build.ts", "9.8.7", built], {
    cwd: ROOT,
    timeoutMs: 300_000,
  });
  // The box has a disk of its own; there it takes the old one's place at once.
  copyFileSync(built, newer);
  rmSync(built);
  renameSync(newer, box.executable);
  const upgraded = await box.qvd(["node", "upgrade"]);
  expect(upgraded.stderr).toMatch(/runs version 9\.8\.7.*old broker processes that drain: [12]/);
  // The one that carried nothing goes, the other has its session.
  const isOneGone = () => before.filter(isProcessRunning).length === 1;
  expect(await waitFor(isOneGone, { timeoutMs: 30_000 })).toBe(true);
  const now = brokers().filter(({ isReplaced }) => isReplaced !== true);
  expect(now.map(({ name }) => name)).toEqual(["broker-1", "broker-2"]);
  for (const { pid } of before) expect(now.map((one) => one.pid)).not.toContain(pid);
  expect((await askPing(box.brokerPort)).text).toContain("I am alive!");
  const isTold = async () =>
    /broker-\d +draining until .*, 1 session/.test((await box.qvd(["node", "status"])).stdout);
  expect(await waitFor(isTold, { timeoutMs: 30_000, everyMs: 500 })).toBe(true);
  expect((await box.qvd(["node", "status"])).stdout).toContain("version 9.8.7");
  const [announced] = await box.database.sql<{ left: number }[]>`
    select extract(epoch from ends_at - now())::float8 as left from sessions where vm_id = ${alice.vmId}`;
  expect(announced?.left).toBeWithin(11 * 3_600, 12 * 3_600 + 1);
  const { sessionBytes, sessionFault } = await session.stop();
  expect(sessionFault).toBeUndefined();
  expect(sessionBytes).toBeGreaterThan(100_000);
  expect(await waitFor(() => !before.some(isProcessRunning), { timeoutMs: 20_000 })).toBe(true);
  const isOver = async () => !(await box.qvd(["node", "status"])).stdout.includes("draining");
  expect(await waitFor(isOver, { timeoutMs: 30_000, everyMs: 500 })).toBe(true);
}, 400_000);

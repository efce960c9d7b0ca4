/** The database is stopped and started again under a running node: its desktops go on, and it catches up. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { waitFor } from "../../src/lib/wait.ts";
import { type Server, serverAt, startServer, stopServer } from "../support/db-server.ts";
import { IMPATIENT, NodeWorld, type RunningNode } from "../support/node-world.ts";

let world: NodeWorld;
let node: RunningNode;
let server: Server;
let shared: string | undefined;

beforeAll(async () => {
  // A cluster of this file's own: the shared one must not be stopped under the other tests.
  shared = process.env.QVD_TEST_CLUSTER;
  const folder = mkdtempSync(`${tmpdir()}/qvd-away-`);
  chmodSync(folder, 0o755);
  process.env.QVD_TEST_CLUSTER = `${folder}/cluster`;
  server = serverAt(process.env.QVD_TEST_CLUSTER);
  world = await NodeWorld.create();
  node = await world.startNode({ limits: IMPATIENT });
}, 60_000);
afterAll(async () => {
  await world?.end();
  await stopServer(server);
  if (shared === undefined) delete process.env.QVD_TEST_CLUSTER;
  else process.env.QVD_TEST_CLUSTER = shared;
  rmSync(server.folder.replace(/\/cluster$/, ""), { recursive: true, force: true });
}, 60_000);

const attached = (vm: Parameters<typeof node.channels.read>[0]) => node.channels.read(vm)?.isAttached;

test("desktops and their agents go on while the database is away, and what happened meanwhile is caught up with", async () => {
  const { rows, hypervisor } = world;
  const [steady, dying] = [await rows.addVm("steady"), await rows.addVm("dying")];
  for (const vm of [steady, dying]) await rows.wish(vm, "running");
  for (const vm of [steady, dying]) expect(await rows.reaches(vm, "running")).toBe("running");

  await stopServer(server);
  expect(await waitFor(() => node.loop.isDatabaseAway, { timeoutMs: 15_000 })).toBe(true);
  hypervisor.die(dying);
  node.loop.wake();
  expect(
    await waitFor(() => world.logged.filter((line) => line.includes("database-away")).length, {
      timeoutMs: 15_000,
    }),
  ).toBe(1);
  expect(attached(steady)).toBe(true);
  expect(hypervisor.life(steady)).toBe(1);
  expect(hypervisor.starts).toBe(2);

  await startServer(server);
  expect(await waitFor(() => !node.loop.isDatabaseAway, { timeoutMs: 15_000 })).toBe(true);
  expect(await rows.tells(dying, "desktop-crashed")).toBe(true);
  expect(await rows.reaches(dying, "running")).toBe("running");
  expect(await rows.state(steady)).toBe("running");
  expect(hypervisor.life(steady)).toBe(1);
}, 60_000);

test("a stop that was under way is carried to its end after the database is back", async () => {
  const { rows, hypervisor } = world;
  const vm = await rows.addVm("stubborn");
  hypervisor.set(vm, { ignoresPoweroff: true, ignoresHalt: true, ignoresTerminate: true });
  await rows.wish(vm, "running");
  expect(await rows.reaches(vm, "running")).toBe("running");
  await rows.wish(vm, "stopped");
  expect(await rows.reaches(vm, "stopping_2")).toBe("stopping_2");
  await stopServer(server);
  expect(await waitFor(() => node.loop.isDatabaseAway, { timeoutMs: 15_000 })).toBe(true);
  await startServer(server);
  expect(await rows.reaches(vm, "stopped", 15_000)).toBe("stopped");
  expect(hypervisor.isAlive(vm)).toBe(false);
}, 60_000);

/** Who comes through a node's console door to the screen of a machine. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { ConsoleDoor } from "../../src/node/console-door.ts";
import { beginVisit } from "../../src/service/visit/begin.ts";
import { openConsole } from "../../src/service/visit/open-console.ts";
import { formatDisplayHello } from "../../src/wire/display/hello.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const SYSTEM = { kind: "system", what: "test" } as const;
const RANDOM = { randomToken: () => crypto.randomUUID() };

let database: TestDatabase;
let owner: Db;
let seed: Seed;
let folder: string;
let door: ConsoleDoor;
let screen: { stop(closeActive?: boolean): void };

beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  seed = await seedSite(owner);
  const { vmId } = seed.alice;
  await owner.execute(sql`update osfs set hypervisor = 'kvm'`);
  await owner.execute(sql`update vms set node_id = ${seed.nodeId} where id = ${vmId}`);
  await owner.execute(sql`insert into vm_reports (vm_id, epoch, state) values (${vmId}, 1, 'running')`);
  folder = mkdtempSync(`${tmpdir()}/qvd-door-`);
  // A screen that greets, and sends back what comes.
  screen = Bun.listen<undefined>({
    unix: `${folder}/vnc`,
    socket: { open: (socket) => void socket.write("RFB"), data: (socket, chunk) => void socket.write(chunk) },
  });
  door = new ConsoleDoor({
    ...{ db: database.open("qvd_node").orm, nodeId: seed.nodeId, log: silentLog() },
    path: `${folder}/door/socket`,
    screenOf: (id) => (id === vmId ? `${folder}/vnc` : `${folder}/none`),
  });
  door.start();
}, 60_000);
afterAll(async () => {
  door?.stop();
  screen?.stop(true);
  rmSync(folder, { recursive: true, force: true });
  await database?.drop();
});
beforeEach(async () => {
  await owner.execute(sql`delete from visits`);
  await owner.execute(sql`delete from sessions`);
  await owner.execute(sql`update osfs set offers_console = false`);
  await owner.execute(sql`update vms set node_id = ${seed.nodeId}`);
});

/** What the door answers to `hello`, and to `more` after it, until it is silent for a moment. */
async function ask(hello: string, more = ""): Promise<string> {
  let heard = "";
  let isClosed = false;
  const socket = await Bun.connect<undefined>({
    unix: `${folder}/door/socket`,
    socket: {
      data: (_socket, chunk) => {
        heard += chunk.toString("latin1");
      },
      close: () => {
        isClosed = true;
      },
    },
  });
  socket.write(hello + more);
  await waitFor(() => isClosed || heard.endsWith(more === "" ? "RFB" : more), {
    timeoutMs: 10_000,
    everyMs: 5,
  });
  socket.terminate();
  return heard;
}

const helloOf = (key: string, vmId: number = seed.alice.vmId) =>
  formatDisplayHello({ key, channel: "rfb", argument: String(vmId) });

async function visit({ begins = true } = {}): Promise<string> {
  const { visitId, ticket } = await openConsole({ db: owner, actor: SYSTEM }, RANDOM, {
    vmId: seed.alice.vmId,
  });
  if (begins) expect(await beginVisit({ db: owner, actor: SYSTEM }, { ticket })).toMatchObject({ visitId });
  const [row] = await owner.execute<{ key: string }>(
    sql`select console_key as key from visits where id = ${visitId}`,
  );
  return row?.key ?? "";
}

async function sit(access: string): Promise<string> {
  const { vmId, userId } = seed.alice;
  await owner.execute(sql`insert into sessions (vm_id, user_id, client, slave_key, broker_worker, access, state)
    values (${vmId}, ${userId}, '{}', 'sitting', 'broker-1', ${access}, 'listening')`);
  return "sitting";
}

test("an administrator's visit does, with all that its machine says", async () => {
  expect(await ask(helloOf(await visit()), "hello machine")).toBe("OK\nRFBhello machine");
});

test("who is there is known, for as long as they are", async () => {
  const { vmId } = seed.alice;
  expect(door.isOpen(vmId)).toBe(false);
  let heard = "";
  const socket = await Bun.connect<undefined>({
    unix: `${folder}/door/socket`,
    socket: {
      data: (_socket, chunk) => {
        heard += chunk.toString("latin1");
      },
    },
  });
  socket.write(helloOf(await visit()));
  expect(await waitFor(() => heard.endsWith("RFB"), { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  expect([door.isOpen(vmId), door.isOpen(asId<VmId>(vmId + 1))]).toEqual([true, false]);
  socket.end();
  expect(await waitFor(() => !door.isOpen(vmId), { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
});

test("a visit whose ticket nobody brought doesn't, nor one that is over", async () => {
  const key = await visit({ begins: false });
  expect(await ask(helloOf(key))).toStartWith("NO ");
  await owner.execute(sql`update visits set began_at = qvd_now(), ended_at = qvd_now()`);
  expect(await ask(helloOf(key))).toStartWith("NO ");
  const old = await visit();
  await owner.execute(
    sql`update visits set asked_at = qvd_now() - interval '25 hours' where console_key = ${old}`,
  );
  expect(await ask(helloOf(old))).toStartWith("NO ");
});

test("the person's own session does, of the console and where it is offered", async () => {
  const key = await sit("console");
  expect(await ask(helloOf(key))).toStartWith("NO ");
  await owner.execute(sql`update osfs set offers_console = true`);
  expect(await ask(helloOf(key))).toBe("OK\nRFB");
  await owner.execute(sql`update sessions set access = 'browser'`);
  expect(await ask(helloOf(key))).toStartWith("NO ");
  await owner.execute(sql`update sessions set access = 'console', superseded_at = qvd_now()`);
  expect(await ask(helloOf(key))).toStartWith("NO ");
});

test("an administrator's is closed before the machine's person sees anything, and what they see stays", async () => {
  let heard = "";
  let isClosed = false;
  const key = await visit();
  const socket = await Bun.connect<undefined>({
    unix: `${folder}/door/socket`,
    socket: {
      data: (_socket, chunk) => {
        heard += chunk.toString("latin1");
      },
      close: () => {
        isClosed = true;
      },
    },
  });
  socket.write(helloOf(key));
  expect(await waitFor(() => heard === "OK\nRFB", { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  await owner.execute(sql`update osfs set offers_console = true`);
  const own = await sit("console");
  await owner.execute(sql`update sessions set connected_at = qvd_now()`);
  expect(await ask(helloOf(own), "mine")).toBe("OK\nRFBmine");
  expect(await waitFor(() => isClosed, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  expect(await ask(helloOf(key))).toStartWith("NO ");
});

test("nobody does at a machine of another node, or with another machine's key", async () => {
  const key = await visit();
  expect(await ask(helloOf(key, seed.bob.vmId))).toStartWith("NO ");
  await owner.execute(sql`update vms set node_id = null`);
  expect(await ask(helloOf(key))).toStartWith("NO ");
});

for (const [name, hello] of [
  ["what is no hello", "GET / HTTP/1.1\n"],
  ["another channel", formatDisplayHello({ key: "k", channel: "control", argument: "1" })],
  ["no machine", formatDisplayHello({ key: "k", channel: "rfb", argument: "../1" })],
  ["a line without end", "x".repeat(5_000)],
] as const)
  test(`${name} is closed without a word`, async () => {
    expect(await ask(hello)).toBe("");
  });

test("only the socket's group may knock", () => {
  expect(statSync(`${folder}/door/socket`).mode & 0o777).toBe(0o660);
});

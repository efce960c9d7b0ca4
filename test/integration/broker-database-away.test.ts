/** The broker on a PostgreSQL that stops and starts: sessions go on, new ones get a clear 503, all recovers. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { eq } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import { type Database, openDatabase } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import { nodeReports, sessions } from "../../src/db/schema/index.ts";
import type { DatabaseRole } from "../../src/db/url.ts";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import {
  type BrokerDoor,
  basic,
  connectRequest,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  request,
} from "../support/broker-door.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";
import { type Server, serverAt, startServer, stopServer } from "../support/db-server.ts";
import type { QvdClient } from "../support/qvd-client.ts";

let server: Server;
let owner: Database;
let broker: Database;
let seed: Seed;
let desktop: EchoDesktop;
let door: BrokerDoor;
const stopNode = new AbortController();
let playing: Promise<void>;

beforeAll(async () => {
  server = serverAt(await mkdtemp(`${tmpdir()}/qvd-test-away-`));
  await startServer(server);
  const address = (role: DatabaseRole) => ({
    kind: "socket" as const,
    folder: server.socketFolder,
    role,
    database: "postgres",
  });
  await migrate(address("qvd_owner"));
  owner = openDatabase(address("qvd_owner"));
  broker = openDatabase(address("qvd_broker"));
  seed = await seedSite(owner.orm);
  await owner.orm
    .insert(nodeReports)
    .values({ nodeId: seed.nodeId, state: "running", facts: {}, startedAt: new Date() } as never);
  desktop = openEchoDesktop();
  door = await openBrokerDoor({
    store: createDatabaseStore({ db: broker.orm, nodeId: seed.nodeId, worker: "broker-1" }),
    limits: { pollMs: 50 },
  });
  playing = playNode();
}, 120_000);
afterAll(async () => {
  stopNode.abort();
  await door.close();
  desktop.stop();
  await broker.close();
  await owner.close();
  await stopServer(server);
  await rm(server.folder, { recursive: true, force: true });
}, 30_000);

/** Reports every requested session as listening, as a node with a very quick guest would. */
async function playNode(): Promise<void> {
  while (!stopNode.signal.aborted) {
    await owner.orm
      .update(sessions)
      .set({ state: "listening", address: "127.0.0.1", port: desktop.port })
      .where(eq(sessions.state, "requested"))
      .catch(() => {
        // The database is away, as the test wants it.
      });
    await sleep(20, stopNode.signal);
  }
}

async function sitDown(): Promise<QvdClient> {
  const client = await door.open();
  client.send(connectRequest(seed.alice.vmId));
  await client.expect(/101 Switching Protocols\r\n[\s\S]*?\r\n\r\n/, 10_000);
  return client;
}

const readSessions = () => owner.orm.select().from(sessions).orderBy(sessions.id);

// Stopped in order: a crash of this server, which never syncs, would lose the session's row itself.
test("a session goes on while the database is away; others get a 503; everything recovers", async () => {
  const client = await sitDown();
  await stopServer(server);
  client.send("still there?");
  await client.expect(/^still there\?$/);

  const late = await door.open();
  late.send(request(["GET /qvd/ping HTTP/1.1"]));
  expect(await late.answer()).toMatchObject({ status: 503 });
  late.send(request(["GET /qvd/list_of_vm HTTP/1.1", basic("alice")]));
  expect((await late.answer()).body).toContain("the database can't be reached");
  late.send(connectRequest(seed.alice.vmId));
  expect((await late.answer()).body).toContain("the database can't be reached");
  await late.expectEnd();

  client.close();
  await client.expectEnd();
  await startServer(server);
  const ended = await waitFor(async () => (await readSessions()).find(({ endedAt }) => endedAt !== null), {
    timeoutMs: 15_000,
    everyMs: 50,
  });
  expect(ended).toMatchObject({ endCause: "client-left", bytesToClient: 12, bytesFromClient: 12 });
  const again = await sitDown();
  again.send("back");
  await again.expect(/^back$/);
  again.close();
}, 60_000);

test("a client that waits when the database goes gets a 503", async () => {
  const waiting = await door.open();
  await owner.orm.update(sessions).set({ state: "preparing" }).where(eq(sessions.state, "requested"));
  stopNode.abort();
  await playing;
  waiting.send(connectRequest(seed.alice.vmId));
  await waiting.expect(/Session acquired/);
  await stopServer(server);
  const { status, body } = await waiting.answer(15_000);
  expect(status).toBe(503);
  expect(body).toStartWith("The requested virtual machine is not available: ");
  await startServer(server);
  const isClosed = await waitFor(
    async () => (await readSessions()).every(({ endedAt }) => endedAt !== null),
    { timeoutMs: 15_000, everyMs: 50 },
  );
  expect(isClosed).toBe(true);
}, 60_000);

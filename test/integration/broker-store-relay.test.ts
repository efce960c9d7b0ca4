/** What a broker reads of sessions at desktops of other boxes, and of those it is asked to relay. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import type { BrokerStore } from "../../src/broker/store.ts";
import type { Db } from "../../src/db/client.ts";
import type { NodeId, SessionId } from "../../src/domain/ids.ts";
import { asId } from "../../src/domain/ids.ts";
import { registerNode } from "../../src/service/node/register.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: false };

let database: TestDatabase;
let owner: Db;
let seed: Seed;
let near: BrokerStore;
let far: BrokerStore;
let sessionId: SessionId;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  seed = await seedSite(owner);
  const context = { db: owner, actor: { kind: "system", what: "test" } } as const;
  const other = await registerNode(context, {
    name: "near",
    boxId: "0123456789abcdef",
    address: "near:8443",
  });
  const db = database.open("qvd_broker").orm;
  const open = (nodeId: NodeId) => createDatabaseStore({ db, nodeId, worker: "broker-1" });
  [near, far] = [open(other.nodeId), open(seed.nodeId)];
});
beforeEach(async () => {
  await owner.execute(sql`update nodes set address = 'far:8443' where id = ${seed.nodeId}`);
  const request = {
    asker: { actor: seed.aliceActor, origin: "198.51.100.7" },
    vmId: seed.alice.vmId,
    client: CLIENT,
    slaveKey: "k",
  };
  ({ sessionId } = await near.requestSession(request));
  await owner.execute(
    sql`update sessions set state = 'listening', address = '10.1.2.3', port = 4100 where id = ${sessionId}`,
  );
});
afterAll(() => database.drop());

describe("a session", () => {
  test("at a desktop of another node says whose, and where that one's broker is", async () => {
    expect(await near.readSession(sessionId)).toMatchObject({
      state: "listening",
      elsewhere: { node: "default-node", address: "far:8443" },
    });
    await owner.execute(sql`update nodes set address = null where id = ${seed.nodeId}`);
    expect((await near.readSession(sessionId))?.elsewhere).toEqual({
      node: "default-node",
      address: undefined,
    });
  });

  test("at one of this node, or of none, is nowhere else", async () => {
    expect((await far.readSession(sessionId))?.elsewhere).toBeUndefined();
    await owner.execute(sql`update vms set node_id = null where id = ${seed.alice.vmId}`);
    expect((await near.readSession(sessionId))?.elsewhere).toBeUndefined();
    await owner.execute(sql`update vms set node_id = ${seed.nodeId} where id = ${seed.alice.vmId}`);
  });
});

describe("a session to relay", () => {
  test("is the one that its own broker has claimed, on the desktop's node alone", async () => {
    expect(await far.readRelay(sessionId)).toEqual({ address: "far:8443", desktop: undefined });
    expect(await near.recordConnected(sessionId)).toBe(true);
    const desktop = { vmId: seed.alice.vmId, address: "10.1.2.3", port: 4100, isConsole: false };
    expect(await far.readRelay(sessionId)).toEqual({ address: "far:8443", desktop });
    expect(await near.readRelay(sessionId)).toEqual({ address: "near:8443", desktop: undefined });
  });

  test("is none once it has ended, was superseded, or never was", async () => {
    await near.recordConnected(sessionId);
    await owner.execute(sql`update sessions set superseded_at = now() where id = ${sessionId}`);
    expect((await far.readRelay(sessionId)).desktop).toBeUndefined();
    await owner.execute(sql`update sessions set superseded_at = null where id = ${sessionId}`);
    expect((await far.readRelay(sessionId)).desktop).toBeDefined();
    await near.recordEnded(sessionId, { cause: "client-left", bytesToClient: 0, bytesFromClient: 0 });
    expect((await far.readRelay(sessionId)).desktop).toBeUndefined();
    expect((await far.readRelay(asId<SessionId>(99_999))).desktop).toBeUndefined();
  });
});

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Db } from "../../src/db/client.ts";
import { type BrokerReads, prepareBrokerReads } from "../../src/db/queries/broker-reads.ts";
import { readNodeId } from "../../src/db/queries/nodes.ts";
import { nodeReports, vmReports } from "../../src/db/schema/index.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { Context } from "../../src/service/context.ts";
import { requestSession } from "../../src/service/session/request.ts";
import { wishSessionEnd } from "../../src/service/session/wish-end.ts";
import { blockVm } from "../../src/service/vm/block.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false };

let database: TestDatabase;
let owner: Db;
let broker: Db;
let reads: BrokerReads;
let seed: Seed;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  broker = database.open("qvd_broker", { applicationName: "broker-reads" }).orm;
  reads = prepareBrokerReads(broker);
  seed = await seedSite(owner, { nodeName: "box" });
}, 120_000);
afterAll(() => database.drop());

const request = (context: Context) =>
  requestSession(context, {
    vmId: seed.alice.vmId,
    client: CLIENT,
    slaveKey: "k",
    brokerNodeId: seed.nodeId,
    brokerWorker: "w1",
  });

test("the node's state is `starting` until it reports", async () => {
  const { nodeId } = seed;
  expect(await reads.readNode(nodeId)).toEqual({ isBlocked: false, state: "starting" });
  await owner.insert(nodeReports).values({ nodeId, state: "running", facts: {}, startedAt: new Date() });
  expect(await reads.readNode(nodeId)).toEqual({ isBlocked: false, state: "running" });
  expect(await reads.readNode(9999 as Seed["nodeId"])).toBeUndefined();
});

test("a broker finds its node by the name, with what its role may read", async () => {
  expect(await readNodeId(broker, "box")).toBe(seed.nodeId);
  expect(await readNodeId(broker, "elsewhere")).toBeUndefined();
});

test("a user's desktops are theirs alone, blocked ones too", async () => {
  await owner.insert(vmReports).values({ vmId: seed.alice.vmId, epoch: 1, state: "stopping_2" });
  await blockVm({ db: owner, actor: seed.siteAdministrator }, { vmId: seed.bob.vmId });
  expect(await reads.listDesktops(seed.alice.userId)).toEqual([
    {
      id: seed.alice.vmId,
      userId: seed.alice.userId,
      name: "alice-desktop",
      isBlocked: false,
      wish: "stopped",
      state: "stopping_2",
    },
  ]);
  expect(await reads.listDesktops(seed.bob.userId)).toMatchObject([{ isBlocked: true, state: "stopped" }]);
  expect(await reads.readDesktop(seed.bob.vmId)).toMatchObject({ userId: seed.bob.userId });
  expect(await reads.readDesktop(9999 as Seed["bob"]["vmId"])).toBeUndefined();
});

test("a session, its trail and its end are seen as they come", async () => {
  const alice: Context = { db: owner, actor: seed.aliceActor };
  const first = await request(alice);
  expect(await reads.readSession(first.sessionId)).toEqual({
    state: "requested",
    isSuperseded: false,
    isEnded: false,
    isEndWished: false,
    address: null,
    port: null,
    faultCode: null,
    faultText: null,
  });
  const events = await reads.listEventsSince(seed.alice.vmId, first.eventId - 1);
  expect(events.map((event) => event.code)).toEqual(["session-requested", "wish-recorded"]);
  expect(await reads.listSessionsToEnd(seed.nodeId, "w1")).toEqual([]);
  const second = await request(alice);
  expect(await reads.readSession(first.sessionId)).toMatchObject({ isSuperseded: true });
  await wishSessionEnd(alice, { vmId: seed.alice.vmId });
  expect(await reads.readSession(second.sessionId)).toMatchObject({ isEndWished: true });
  expect(await reads.listSessionsToEnd(seed.nodeId, "w1")).toEqual([
    { id: first.sessionId, isSuperseded: true },
    { id: second.sessionId, isSuperseded: false },
  ]);
  expect(await reads.listSessionsToEnd(seed.nodeId, "w2")).toEqual([]);
});

test("what is prepared survives the loss of its connections", async () => {
  await database.open("qvd_owner").sql`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'broker-reads'`;
  // What was sent before the loss is noticed fails.
  const again = await waitFor(() => reads.listDesktops(seed.alice.userId).catch(() => undefined), {
    timeoutMs: 5_000,
  });
  expect(again).toHaveLength(1);
  expect(await reads.readDesktop(seed.bob.vmId)).toBeDefined();
});

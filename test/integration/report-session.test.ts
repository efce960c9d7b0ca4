/** Where a session waits, as its node reports it and the broker reads it: another port for browsers. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import { createWebStore, randomWebToken } from "../../src/broker/gateway/web-store.ts";
import { readSessionParts } from "../../src/db/queries/session-parts.ts";
import { chooseClientParameters } from "../../src/domain/session/client-parameters.ts";
import { reportSession } from "../../src/node/report/report-session.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let seed: Seed;

beforeAll(async () => {
  database = await createTestDatabase();
  seed = await seedSite(database.open("qvd_owner").orm);
}, 60_000);

afterAll(() => database?.drop());

for (const [access, port] of [
  ["nx", 4100],
  ["browser", 5100],
] as const)
  test(`leads to port ${port} of the desktop for ${access}`, async () => {
    const { nodeId, aliceActor: actor } = seed;
    const { vmId, userId, address } = seed.alice;
    const broker = database.open("qvd_broker").orm;
    const store = createDatabaseStore({ db: broker, nodeId, worker: "broker-1" });
    const { sessionId } = await store.requestSession({
      asker: { actor, origin: "192.0.2.1" },
      vmId,
      access,
      client: chooseClientParameters(new Map()),
      slaveKey: "key",
    });
    const node = database.open("qvd_node").orm;
    expect((await readSessionParts(node, { vmId, tenantId: seed.tenantId, sessionId })).access).toBe(access);
    const epoch = await readEpoch();
    const write = { vmId, epoch, generation: 1, address, port: 4100, displayPort: 5100 };
    const report = (state: "preparing" | "listening") =>
      reportSession(node, { ...write, patch: { sessionId, state, events: [] } }, { nodeId });
    expect(await report("preparing")).toBe(true);
    expect(await store.readSession(sessionId)).toMatchObject({ port: undefined, address: undefined });
    expect(await report("listening")).toBe(true);
    expect(await store.readSession(sessionId)).toMatchObject({ state: "listening", port, address });
    const web = createWebStore(broker, randomWebToken, "default-node");
    expect(await web.findScreen(userId, vmId)).toBeUndefined();
    await store.recordConnected(sessionId);
    const screen =
      access === "browser" ? { id: sessionId, port, slaveKey: "key", elsewhere: undefined } : undefined;
    if (screen === undefined) expect(await web.findScreen(userId, vmId)).toBeUndefined();
    else expect(await web.findScreen(userId, vmId)).toMatchObject(screen);
    expect(await web.findScreen(seed.bob.userId, vmId)).toBeUndefined();
    const away = createWebStore(broker, randomWebToken, "another-node");
    if (screen !== undefined)
      expect((await away.findScreen(userId, vmId))?.elsewhere?.node).toBe("default-node");
  });

test("tells of a failure in any words, and only while the desktop is its own", async () => {
  const { nodeId, aliceActor: actor } = seed;
  const { vmId, address } = seed.alice;
  const store = createDatabaseStore({ db: database.open("qvd_broker").orm, nodeId, worker: "broker-1" });
  const { sessionId } = await store.requestSession({
    ...{ asker: { actor, origin: "192.0.2.1" }, vmId, access: "nx", slaveKey: "key" },
    client: chooseClientParameters(new Map()),
  });
  const write = { vmId, epoch: await readEpoch(), generation: 1, address, port: 4100, displayPort: 5100 };
  const text = "it's \\ \u0000gone \ud83d";
  const patch = {
    sessionId,
    state: "failed",
    fault: { code: "guest-failed", text },
    events: [
      { code: "session-failed", text },
      { code: "session-ended", text: "second" },
    ],
  } as const;
  const node = database.open("qvd_node").orm;
  expect(await reportSession(node, { ...write, epoch: write.epoch + 1, patch }, { nodeId })).toBe(false);
  expect(await reportSession(node, { ...write, patch }, { nodeId })).toBe(true);
  expect(await readTold(sessionId)).toEqual([
    {
      state: "failed",
      fault: "it's \\ gone \ufffd",
      code: "session-failed",
      text: "it's \\ gone \ufffd",
      of: sessionId,
    },
    { state: "failed", fault: "it's \\ gone \ufffd", code: "session-ended", text: "second", of: sessionId },
  ]);
});

async function readTold(sessionId: number) {
  const rows = await database.open("qvd_owner").orm.execute(sql`
    select s.state, s.fault_text as fault, e.code, e.text, (e.detail->>'session')::int as of
    from sessions s join vm_events e on e.vm_id = s.vm_id and (e.detail->>'session')::int = s.id
    where s.id = ${sessionId} order by e.id`);
  return [...rows];
}

async function readEpoch(): Promise<number> {
  const [row] = await database
    .open("qvd_owner")
    .orm.execute<{ epoch: number }>(`select epoch::int as epoch from vms where id = ${seed.alice.vmId}`);
  return row?.epoch ?? 0;
}

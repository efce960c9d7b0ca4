/** Two brokers of two nodes over one PostgreSQL: a session from its request on one to the desktop of the other. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import type { BoxIdentity } from "../../src/broker/relay/box-proof.ts";
import type { Db } from "../../src/db/client.ts";
import type { NodeId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { registerNode } from "../../src/service/node/register.ts";
import { createBoxIdentities, openEchoDesktop } from "../support/box-identities.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let owner: Db;
let seed: Seed;
let near: BrokerDoor;
let far: BrokerDoor;
const desktop = openEchoDesktop();

async function openDoor(identity: BoxIdentity | undefined, nodeId: NodeId): Promise<BrokerDoor> {
  if (identity === undefined) throw new Error("no certificate");
  const db = database.open("qvd_broker").orm;
  return await openBrokerDoor({
    identity,
    store: createDatabaseStore({ db, nodeId, worker: "broker-1" }),
    listen: { address: "127.0.0.1", port: 0, tlsKey: identity.key, tlsCertificate: identity.certificate },
  });
}

beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  seed = await seedSite(owner);
  const context = { db: owner, actor: { kind: "system", what: "test" } } as const;
  const other = await registerNode(context, { name: "near" });
  const [one, two] = await createBoxIdentities("one", "two");
  near = await openDoor(one, other.nodeId);
  far = await openDoor(two, seed.nodeId);
  await owner.execute(sql`update nodes set address = ${`127.0.0.1:${far.port}`} where id = ${seed.nodeId}`);
}, 60_000);
afterAll(async () => {
  await near.close();
  await far.close();
  desktop.close();
  await database.drop();
});

/** What the desktop's node would do: nxagent listens. */
async function listen(): Promise<boolean> {
  const rows =
    await owner.execute(sql`update sessions set state = 'listening', address = '127.0.0.1', port = ${desktop.port}
    where vm_id = ${seed.alice.vmId} and state = 'requested' and ended_at is null returning id`);
  return rows.length > 0;
}

test("a person who came to another box sits at their desktop, and the record is that box's", async () => {
  const client = await near.open();
  client.send(
    `GET /qvd/connect_to_vm?id=${seed.alice.vmId} HTTP/1.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\nConnection: Upgrade\r\nUpgrade: QVD/1.0\r\n\r\n`,
  );
  expect(await waitFor(listen, { timeoutMs: 15_000, everyMs: 20 })).toBe(true);
  near.wake(seed.alice.vmId);
  const reads = (text: string) =>
    waitFor(() => client.received.includes(text), { timeoutMs: 10_000, everyMs: 10 });
  expect(await reads("NXPROXY-hello"), client.received).toBe(true);
  client.send("through two brokers");
  expect(await reads("through two brokers")).toBe(true);
  expect(desktop.connections).toBe(1);
  client.shutdown();
  const record = async () =>
    (
      await owner.execute(sql`select n.name as broker, s.end_cause, s.bytes_from_client::int
        from sessions s join nodes n on n.id = s.broker_node_id where s.ended_at is not null`)
    )[0];
  expect(await waitFor(async () => (await record()) !== undefined, { timeoutMs: 15_000, everyMs: 20 })).toBe(
    true,
  );
  expect(await record()).toEqual({ broker: "near", end_cause: "client-left", bytes_from_client: 19 });
}, 30_000);

/**
 * The address in a balancer's header, from the QVD port to where it counts: with the real auth and database, who is slowed down,
 * what the audit log and the sessions say, and what a policy decides are by that address, never by the balancer's.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { hashPassword } from "../../src/auth/password.ts";
import { parseBalancers } from "../../src/broker/balancers.ts";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import { type AuthProcess, startAuthProcess } from "../support/auth-process.ts";
import { setSiteSetting } from "../support/auth-site.ts";
import {
  type BrokerDoor,
  basic,
  connectRequest,
  openBrokerDoor,
  request,
  until,
} from "../support/broker-door.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, type Seed, seedSite } from "../support/db-seed.ts";
import { formatProxyHeader, openProxied } from "../support/proxied-client.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const BALANCER = "127.0.0.2";
/** Of sign-ins from one address, without being slowed down. */
const FREE = 5;
let database: TestDatabase;
let owner: ReturnType<TestDatabase["open"]>["sql"];
let seed: Seed;
let auth: AuthProcess;
let door: BrokerDoor;

beforeAll(async () => {
  database = await createTestDatabase();
  const opened = database.open("qvd_owner");
  owner = opened.sql;
  seed = await seedSite(opened.orm, { hashPassword });
  await owner`insert into node_reports (node_id, state, facts, started_at) values (${seed.nodeId}, 'running', '{}', qvd_now())`;
  auth = await startAuthProcess(database);
  const { orm: db } = database.open("qvd_broker");
  door = await openBrokerDoor({
    listen: {
      ...{ address: "127.0.0.1", port: 0, ...(await createTlsPair()) },
      balancers: parseBalancers(BALANCER),
    },
    store: createDatabaseStore({ db, nodeId: seed.nodeId, worker: "broker-1" }),
    auth: auth.auth,
  });
}, 120_000);
afterAll(async () => {
  await door.close();
  await auth.stop();
  await database.drop();
});

/** What somebody at `address` is told, behind the balancer. */
async function askFrom(address: string, text: string, isAnswered: (received: string) => boolean) {
  const socket = await openProxied(door.port, formatProxyHeader(address), BALANCER);
  let received = "";
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
  });
  socket.write(text);
  await until("an answer", () => isAnswered(received), 20_000);
  socket.destroy();
  return received;
}

const list = (password = SEED_PASSWORD) =>
  request(["GET /qvd/list_of_vm HTTP/1.1", basic("alice", password)]);

/** The status of a list. */
async function listFrom(address: string, password?: string): Promise<string> {
  const answer = await askFrom(address, list(password), (received) => received.includes("\r\n\r\n"));
  return answer.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
}

test("guesses count for the address that the balancer names", async () => {
  for (let tries = 0; tries <= FREE; tries++) expect(await listFrom("198.51.100.7", "guess")).toBe("401");
  const reply = await auth.admin.ask({ kind: "list-slowed" }, new AbortController().signal);
  if (reply.outcome !== "slowed") throw new Error(reply.outcome);
  expect(reply.slowed).toMatchObject([{ login: "alice", origin: "198.51.100.7", failures: FREE + 1 }]);
  const ofBalancer = await owner`select key from sign_in_marks where key like ${`%${BALANCER}%`}`;
  expect(ofBalancer.length).toBe(0);
  expect(await listFrom("203.0.113.9")).toBe("200");
}, 60_000);

test("a session and its line of the audit log have it", async () => {
  const text = connectRequest(seed.alice.vmId).replace(/Authorization: .*/, basic("alice", SEED_PASSWORD));
  await askFrom("203.0.113.20", text, (received) => received.includes("Session acquired"));
  const [session] = await owner`select client_address from sessions order by id desc limit 1`;
  expect(session).toEqual({ client_address: "203.0.113.20" });
  const [line] =
    await owner`select actor, origin from audit_log where origin is not null order by id desc limit 1`;
  expect(line).toMatchObject({ origin: "203.0.113.20" });
});

test("a policy decides by it", async () => {
  await setSiteSetting(database, "auth.policy", "deny from=203.0.113.0/24");
  expect(await listFrom("203.0.113.9")).toBe("401");
  expect(await listFrom("192.0.2.33")).toBe("200");
  await setSiteSetting(database, "auth.policy", `deny from=${BALANCER}`);
  expect(await listFrom("203.0.113.9")).toBe("200");
});

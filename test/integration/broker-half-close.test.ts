/** Clients that end their own direction right after a request, as `openssl s_client` and scripts do. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { sleep } from "../../src/lib/wait.ts";
import type { AuthAnswer } from "../../src/wire/auth/messages.ts";
import {
  type BrokerDoor,
  basic,
  connectRequest,
  openBrokerDoor,
  request,
  until,
} from "../support/broker-door.ts";
import { playAuth } from "../support/played-auth.ts";
import type { QvdClient } from "../support/qvd-client.ts";

const ACCEPTED: AuthAnswer = {
  id: 0,
  outcome: "accepted",
  userId: 1,
  login: "alice",
  tenantId: 1,
  tenantName: "default",
  by: "local",
};
const PING = request(["GET /qvd/ping HTTP/1.1"]);
const LIST = request(["GET /qvd/list_of_vm HTTP/1.1", basic("alice")]);

let door: BrokerDoor;
beforeAll(async () => {
  door = await openBrokerDoor({
    // Who waited for one of these would not be answered in time.
    limits: { pollMs: 20, startMs: 60_000, stopMs: 60_000, headMs: 60_000, idleMs: 60_000 },
    auth: {
      ...playAuth(),
      // Long enough for the client's end to come first.
      verify: async (_question, signal) => {
        await sleep(250, signal);
        return signal.aborted ? { id: 0, outcome: "unavailable", text: "Nobody waits." } : ACCEPTED;
      },
    },
  });
});
afterAll(() => door.close());
beforeEach(() => {
  door.store.addDesktop(1, 1, { state: "running", wish: "running" });
  door.store.onRequest = () => {};
});

/** A client whose handshake is over: an end before it would cut that short. */
async function openSecure(): Promise<QvdClient> {
  const client = await door.open();
  client.send(PING);
  expect((await client.answer()).status).toBe(200);
  return client;
}

test("a list is answered, then the connection closed", async () => {
  const client = await openSecure();
  client.send(LIST);
  client.shutdown();
  expect(await client.answer()).toMatchObject({ status: 200 });
  await client.expectEnd(15_000);
});

test("all requests that came before the end are answered", async () => {
  const client = await openSecure();
  client.send(LIST + PING + LIST);
  client.shutdown();
  for (let count = 0; count < 3; count++) expect((await client.answer()).status).toBe(200);
  await client.expectEnd(15_000);
});

test("half a request is not waited for", async () => {
  const client = await openSecure();
  client.send(`${LIST}GET /qvd/pi`);
  client.shutdown();
  expect((await client.answer()).status).toBe(200);
  await client.expectEnd(15_000);
});

test("a stop is answered when the desktop is down", async () => {
  door.store.onStop = (vmId) => {
    setTimeout(() => {
      const target = door.store.desktops.get(vmId);
      if (target !== undefined) target.state = "stopped";
    }, 100);
  };
  const client = await openSecure();
  client.send(request(["GET /qvd/stop_vm?id=1 HTTP/1.1", basic("alice")]));
  client.shutdown();
  expect(await client.answer()).toMatchObject({ status: 200, body: "Machine stopped\r\n" });
  await client.expectEnd(15_000);
});

test("a connect is over, as its session could not be used", async () => {
  const client = await openSecure();
  client.send(connectRequest(1));
  await client.expect(/Session acquired/);
  client.shutdown();
  expect((await client.answer(15_000)).status).toBe(503);
  await client.expectEnd(15_000);
  await until("the sitting ends", () => door.store.sessions.at(-1)?.end?.cause === "client-left");
});

test("a connect whose end has come with it asks for no session", async () => {
  const before = door.store.sessions.length;
  const client = await openSecure();
  client.send(LIST + connectRequest(1));
  client.shutdown();
  expect((await client.answer()).status).toBe(200);
  expect((await client.answer()).status).toBe(503);
  await client.expectEnd(15_000);
  expect(door.store.sessions.length).toBe(before);
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  type BrokerDoor,
  connectRequest,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  until,
} from "../support/broker-door.ts";
import type { QvdClient } from "../support/qvd-client.ts";

const SWITCHED = /^[\s\S]*?HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*?\r\n\r\n/;

let door: BrokerDoor;
let desktop: EchoDesktop;

beforeAll(async () => {
  door = await openBrokerDoor({ limits: { pollMs: 50 } });
  desktop = openEchoDesktop();
});
afterAll(async () => {
  desktop.stop();
  await door.close();
});
beforeEach(() => {
  door.store.addDesktop(1, 1, { state: "running", wish: "running" });
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
});

const lastSession = () => {
  const session = door.store.sessions.at(-1);
  if (session === undefined) throw new Error("no session was requested");
  return session;
};

/** A client whose session runs. */
async function sitDown(id = 1): Promise<QvdClient> {
  const client = await door.open();
  client.send(connectRequest(id));
  await client.expect(SWITCHED);
  return client;
}

async function refusalOf(client: QvdClient): Promise<string> {
  const { status, body } = await client.answer();
  expect(status).toBe(503);
  await client.expectEnd();
  return body.replace("The requested virtual machine is not available: ", "");
}

describe("a takeover", () => {
  test("ends the session that runs, with its reason", async () => {
    const older = await sitDown();
    const first = lastSession();
    const newer = await sitDown();
    await older.expectEnd();
    await until("the older one's end", () => first.end !== undefined);
    expect(first.end?.cause).toBe("superseded");
    newer.send("still here");
    await newer.expect(/^still here$/);
    newer.close();
  });

  test("is noticed at once also when it comes just before the session runs", async () => {
    const slow = await openBrokerDoor({ limits: { pollMs: 60_000 } });
    slow.store.addDesktop(1, 1);
    slow.store.onRequest = (session) => reportListening(slow.store, session, desktop.port);
    const record = slow.store.recordConnected.bind(slow.store);
    slow.store.recordConnected = async (sessionId) => {
      const isOurs = await record(sessionId);
      for (const session of slow.store.sessions) session.isSuperseded = true;
      return isOurs;
    };
    const client = await slow.open();
    client.send(connectRequest(1));
    await client.expect(SWITCHED);
    await client.expectEnd(10_000);
    await slow.close();
  });

  test("turns away the client that still waits", async () => {
    door.store.onRequest = () => {};
    const older = await door.open();
    older.send(connectRequest(1));
    await until("the first request", () => lastSession().end === undefined);
    await older.expect(/Session acquired/);
    door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
    const newer = await sitDown();
    expect(await refusalOf(older)).toBe("Another client has taken over this session, retry later.");
    newer.close();
  });
});

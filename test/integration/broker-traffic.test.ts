import { afterAll, beforeAll, expect, test } from "bun:test";
import { sleep } from "../../src/lib/wait.ts";
import {
  connectRequest,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  until,
} from "../support/broker-door.ts";
import type { QvdClient } from "../support/qvd-client.ts";

const SWITCHED = /101 Switching Protocols\r\n[\s\S]*?\r\n\r\n/;

let desktop: EchoDesktop;
beforeAll(() => {
  desktop = openEchoDesktop();
});
afterAll(() => desktop.stop());

/** A broker of its own with two sessions, one of which says nothing. */
async function openTwo(trafficMs: number) {
  const own = await openBrokerDoor({ limits: { pollMs: 10, trafficMs } });
  own.store.onRequest = (session) => reportListening(own.store, session, desktop.port);
  const clients: QvdClient[] = [];
  for (const id of [1, 2]) {
    own.store.addDesktop(id, 1);
    const client = await own.open();
    client.send(connectRequest(id));
    await client.expect(SWITCHED);
    clients.push(client);
  }
  const say = async (text: string) => {
    clients[0]?.send(text);
    await clients[0]?.expect(new RegExp(`^${text}$`));
  };
  return { own, say, read: () => own.store.sessions.map(({ traffic }) => traffic?.bytesToClient) };
}

test("what a session carries is recorded while it lasts, when it has changed", async () => {
  const { own, say, read } = await openTwo(20);
  await say("hello");
  await until("it is recorded", () => read()[0] === 5);
  await sleep(100);
  const { length } = own.store.trafficWrites;
  await sleep(100);
  expect(own.store.trafficWrites.length).toBe(length);
  expect(read()).toEqual([5, undefined]);
  own.store.isAway = true;
  await say("anybody");
  await sleep(50);
  own.store.isAway = false;
  await until("it is recorded", () => read()[0] === 12);
  await own.close();
});

test("what a session carries is recorded soon, then no more often than told", async () => {
  const { own, say } = await openTwo(60_000);
  await say("hello");
  // The first look may come between what was sent and what came back.
  await until("it is recorded", () => own.store.trafficWrites.length === 1);
  await say("again");
  await sleep(100);
  expect(own.store.trafficWrites.length).toBe(1);
  await own.close();
  expect(own.store.sessions[0]?.end).toMatchObject({ bytesToClient: 10, bytesFromClient: 10 });
});

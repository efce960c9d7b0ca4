/** Browsers that mean no good: slow, half, endless and oversized requests on the gateway's paths have an end. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { waitFor } from "../../src/lib/wait.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { PortalClient } from "../support/portal-client.ts";
import { QvdClient } from "../support/qvd-client.ts";
import { formatOpening, formatRequest, readStatus } from "../support/raw-browser.ts";
import { createTableWebStore } from "../support/table-web-store.ts";

let door: BrokerDoor;
const opened: QvdClient[] = [];

beforeAll(async () => {
  door = await openBrokerDoor({
    web: createTableWebStore(() => 1),
    limits: { headMs: 1_000, answerMs: 1_500, halfOpenMs: 1_000 },
  });
}, 30_000);
afterAll(async () => {
  for (const client of opened) client.terminate();
  await door?.close();
}, 30_000);

async function openRaw(): Promise<QvdClient> {
  const client = await QvdClient.open(door.port);
  opened.push(client);
  return client;
}

/** Sends on and on, a little at a time, until the other side has had enough. */
async function trickle(client: QvdClient, piece: string): Promise<boolean> {
  const isOver = () => client.isClosed || client.hasEnded;
  const ended = await waitFor(
    () => {
      if (!isOver()) client.send(piece);
      return isOver() || undefined;
    },
    { timeoutMs: 12_000, everyMs: 100 },
  );
  return ended === true;
}

test("a head that comes a header at a time is cut off", async () => {
  const client = await openRaw();
  client.send("GET / HTTP/1.1\r\nHost: x\r\n");
  expect(await trickle(client, "X-More: 1\r\n")).toBe(true);
});

test("the second request of a connection has no more time than the first", async () => {
  const client = await openRaw();
  client.send(formatRequest(door.port, "/sign-in"));
  expect((await client.answer()).status).toBe(200);
  client.send("GET / HTTP/1.1\r\n");
  expect(await trickle(client, "X-More: 1\r\n")).toBe(true);
});

test("a form that comes a byte at a time is cut off", async () => {
  const client = await openRaw();
  const type = "Content-Type: application/x-www-form-urlencoded";
  client.send(
    formatRequest(door.port, "/sign-in", { method: "POST", headers: [type, "Content-Length: 60000"] }),
  );
  expect(await trickle(client, "a")).toBe(true);
});

test("a stranger's file that never ends is not listened to", async () => {
  const client = await openRaw();
  client.send(
    formatRequest(door.port, "/desktop/1/files?name=a", {
      method: "POST",
      headers: ["Content-Length: 8000000000"],
    }),
  );
  expect(await readStatus(client, 5_000)).toBe(401);
  expect(await trickle(client, "x".repeat(1_000))).toBe(true);
});

test.each([
  ["a body of unknown length", ["Transfer-Encoding: chunked"], 413],
  ["a form that is no form's size", ["Content-Length: 100000000"], 413],
  ["a head of a megabyte", [`X-Large: ${"x".repeat(1_000_000)}`], 431],
] as const)("%s is refused", async (_what, headers, status) => {
  const client = await openRaw();
  client.send(formatRequest(door.port, "/sign-in", { method: "POST", headers }));
  expect([status, 0]).toContain(await readStatus(client, 5_000));
});

test("thousands of requests at once are answered in turn or ended, and nobody else waits for them", async () => {
  const client = await openRaw();
  client.pause();
  client.send(formatRequest(door.port, "/sign-in").repeat(2_000));
  const other = new PortalClient(door.port);
  expect((await other.ask("/sign-in")).status).toBe(200);
  client.resume();
  const answers = () => client.received.split("HTTP/1.1 200").length - 1;
  expect(
    await waitFor(() => answers() === 2_000 || client.hasEnded || client.isClosed, { timeoutMs: 20_000 }),
  ).toBe(true);
});

test("an end that is answered by nothing but more bytes comes all the same", async () => {
  const client = await openRaw();
  client.send(formatRequest(door.port, "/sign-in", { headers: ["Connection: close"] }));
  expect((await client.answer()).status).toBe(200);
  await client.expectEnd();
  const isClosed = () => {
    if (!client.isClosed) client.send("more");
    return client.isClosed || undefined;
  };
  expect(await waitFor(isClosed, { timeoutMs: 15_000, everyMs: 100 })).toBe(true);
});

test("a WebSocket that was told to go and doesn't is cut off", async () => {
  door.store.addDesktop(1, 1);
  const alice = new PortalClient(door.port);
  await alice.signIn("alice", "secret");
  const client = await openRaw();
  client.send(formatOpening(door.port, `/desktop/1/ws?ticket=${await alice.ticket(1)}`, alice.cookie));
  expect(await readStatus(client, 5_000)).toBe(101);
  const csrf = /data-csrf="([^"]+)"/.exec((await alice.ask("/desktop/1")).text)?.[1] ?? "";
  await alice.ask("/sign-out", { form: { csrf } });
  // An empty text, and another, and so on.
  const isClosed = () => {
    if (!client.isClosed) client.send("\x81\x80\0\0\0\0");
    return client.isClosed || undefined;
  };
  expect(await waitFor(isClosed, { timeoutMs: 15_000, everyMs: 100 })).toBe(true);
});

/** How many connections one address may hold at a broker, and what those over that are told. */

import { afterEach, describe, expect, test } from "bun:test";
import type { TLSSocket } from "node:tls";
import { parseBalancers } from "../../src/broker/balancers.ts";
import { formatProof } from "../../src/broker/relay/box-proof.ts";
import type { BrokerDeps } from "../../src/broker/run-broker.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { BrokerState } from "../../src/wire/broker/state-file.ts";
import { createBoxIdentities } from "../support/box-identities.ts";
import {
  type BrokerDoor,
  connectRequest,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  request,
  until,
} from "../support/broker-door.ts";
import { openProxied } from "../support/proxied-client.ts";
import type { TableSession } from "../support/table-broker-store.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const BALANCER = "127.0.0.2";
const MOST = 3;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openDoor(more: Partial<BrokerDeps> = {}): Promise<BrokerDoor> {
  const door = await openBrokerDoor({
    listen: {
      ...{ address: "127.0.0.1", port: 0, ...(await createTlsPair()) },
      balancers: parseBalancers(BALANCER),
    },
    limits: { perAddress: MOST },
    ...more,
  });
  closing.push(door.close);
  return door;
}

type Caller = { readonly socket: TLSSocket; text: string; isClosed: boolean };

/** Somebody of that address, behind a balancer that says so. */
async function call(door: BrokerDoor, address: string): Promise<Caller> {
  const family = address.includes(":") ? "TCP6" : "TCP4";
  const own = address.includes(":") ? "2001:db8::1" : "10.0.0.1";
  const header = Buffer.from(`PROXY ${family} ${address} ${own} 35554 443\r\n`);
  const socket = await openProxied(door.port, header, BALANCER);
  const caller: Caller = { socket, text: "", isClosed: false };
  socket.on("data", (chunk: Buffer) => {
    caller.text += chunk.toString("latin1");
  });
  socket.on("close", () => {
    caller.isClosed = true;
  });
  socket.on("error", () => {});
  closing.push(() => socket.destroy());
  return caller;
}

async function ping(caller: Caller): Promise<string> {
  const before = caller.text.length;
  caller.socket.write(request(["GET /qvd/ping HTTP/1.1"]));
  await until("an answer", () => caller.text.length > before || caller.isClosed);
  return caller.text.slice(before);
}

async function fill(door: BrokerDoor, address: string): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let number = 0; number < MOST; number++) callers.push(await call(door, address));
  for (const caller of callers) expect(await ping(caller)).toContain("200 OK");
  return callers;
}

/** As the broker of another box has asked for it. */
async function begin(door: BrokerDoor): Promise<TableSession> {
  const actor = { kind: "user", userId: 1, login: "alice", tenantId: 1, tenantName: "default" };
  const asked = { asker: { actor, origin: "x" }, vmId: 1, client: {}, slaveKey: "k".repeat(64) };
  await door.store.requestSession(asked as unknown as Parameters<typeof door.store.requestSession>[0]);
  const session = door.store.sessions.at(-1);
  if (session === undefined) throw new Error("no session was made");
  return session;
}

describe("an address that holds as many connections as it may", () => {
  test("is told so with each further one, and others aren't held up by it", async () => {
    const door = await openDoor();
    await fill(door, "198.51.100.7");
    const refused = await call(door, "198.51.100.7");
    const answer = await ping(refused);
    expect(answer).toStartWith("HTTP/1.1 503 ");
    expect(answer).toContain("Retry-After: 60");
    expect(answer).toContain("There are too many connections from your address.");
    await until("the end of the refused", () => refused.isClosed);
    expect(await ping(await call(door, "198.51.100.8"))).toContain("200 OK");
  });

  test("tells a browser as well", async () => {
    const door = await openDoor();
    await fill(door, "198.51.100.7");
    const browser = await call(door, "198.51.100.7");
    browser.socket.write("GET / HTTP/1.1\r\nHost: desktops\r\nAccept: text/html\r\n\r\n");
    await until("the answer", () => browser.text.includes("too many connections"));
    expect(browser.text).toStartWith("HTTP/1.1 503 ");
  });

  test("gets in again when one of them has left", async () => {
    const door = await openDoor();
    const [first] = await fill(door, "198.51.100.7");
    first?.socket.destroy();
    const isIn = async () => (await ping(await call(door, "198.51.100.7"))).includes("200 OK");
    expect(await waitFor(isIn, { timeoutMs: 10_000, everyMs: 20 })).toBe(true);
  });

  test("is closed without a word far over that, so that refusing costs no handshake", async () => {
    const door = await openDoor({ limits: { perAddress: 1, strangerIdleMs: 60_000 } });
    const all = await Promise.allSettled(Array.from({ length: 60 }, () => call(door, "198.51.100.7")));
    const isOver = (one: PromiseSettledResult<Caller>) => one.status === "rejected" || one.value.isClosed;
    // One in, fifty to be told, the rest closed.
    await until("the closing", () => all.filter(isOver).length === 9);
  });
});

test("of IPv6 a network of 64 bits is one address", async () => {
  const door = await openDoor();
  for (let number = 1; number <= MOST; number++)
    expect(await ping(await call(door, `2001:db8:1:2::${number}`))).toContain("200 OK");
  expect(await ping(await call(door, "2001:db8:1:2:ffff::9"))).toContain("503");
  expect(await ping(await call(door, "2001:db8:1:3::1"))).toContain("200 OK");
});

test("a session counts until its end", async () => {
  const desktop = openEchoDesktop();
  closing.push(desktop.stop);
  const door = await openDoor();
  door.store.addDesktop(1, 1);
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
  const [first] = await fill(door, "198.51.100.7");
  first?.socket.write(connectRequest(1));
  await until("the session", () => first?.text.includes("101 Switching") === true);
  expect(await ping(await call(door, "198.51.100.7"))).toContain("503");
  first?.socket.end();
  await until("the session's end", () => door.store.sessions[0]?.end !== undefined);
  const isIn = async () => (await ping(await call(door, "198.51.100.7"))).includes("200 OK");
  expect(await waitFor(isIn, { timeoutMs: 10_000, everyMs: 20 })).toBe(true);
});

test("programs of the box and listed balancers may hold more", async () => {
  const door = await openDoor();
  for (let number = 0; number <= MOST; number++) {
    const client = await door.open();
    client.send(request(["GET /qvd/ping HTTP/1.1"]));
    expect((await client.answer()).status).toBe(200);
    // Its own word, such as a look whether the port answers.
    const own = await openProxied(door.port, Buffer.from("PROXY UNKNOWN\r\n"), BALANCER);
    closing.push(() => own.destroy());
  }
});

test("what another box relays doesn't count: its people were counted where they came", async () => {
  const desktop = openEchoDesktop();
  closing.push(desktop.stop);
  const [identity] = await createBoxIdentities("far");
  if (identity === undefined) throw new Error("no certificate");
  const door = await openDoor({ identity, limits: { perAddress: 1 } });
  const address = "203.0.113.1:8443";
  door.store.address = address;
  door.store.addDesktop(1, 1);
  for (let number = 0; number < 3; number++) {
    const session = await begin(door);
    reportListening(door.store, session, desktop.port);
    session.isConnected = true;
    const proof = Object.entries(formatProof(identity, { sessionId: session.id, address }));
    const box = await call(door, "203.0.113.2");
    const lines = proof.map(([name, value]) => `${name}: ${value}`);
    box.socket.write(request([`GET /qvd/relay?session=${session.id} HTTP/1.1`, ...lines]));
    await until("the relay", () => box.text.includes("101 Switching"));
  }
});

test("without a bound nobody is refused", async () => {
  const door = await openDoor({ limits: { perAddress: 0 } });
  for (let number = 0; number <= MOST; number++)
    expect(await ping(await call(door, "198.51.100.7"))).toContain("200 OK");
});

test("how many were turned away is told with the worker's state, and the log names the address once", async () => {
  let state: BrokerState | undefined;
  const said: unknown[] = [];
  const log = {
    ...{ debug: () => {}, info: () => {}, error: () => {} },
    warn: (event: string, fields: unknown) => void said.push([event, fields]),
    with: () => log,
  };
  const door = await openDoor({ log, onState: (told) => (state = told) });
  await fill(door, "198.51.100.7");
  for (let number = 0; number < 2; number++) await ping(await call(door, "198.51.100.7"));
  await until("the state", () => state?.turnedAway === 2);
  const named = { address: "198.51.100.7", most: MOST };
  expect(said).toEqual([["address-full", expect.objectContaining(named)]]);
});

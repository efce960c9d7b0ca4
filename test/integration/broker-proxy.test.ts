/** Balancers before the QVD port: whose word about a client's address is taken. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { parseBalancers } from "../../src/broker/balancers.ts";
import type { BrokerState } from "../../src/wire/broker/state-file.ts";
import { askPing } from "../support/ask-ping.ts";
import {
  type BrokerDoor,
  connectRequest,
  openBrokerDoor,
  reportListening,
  until,
} from "../support/broker-door.ts";
import { playAuth } from "../support/played-auth.ts";
import { openProxied } from "../support/proxied-client.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const ALIVE = "I am alive!";
const header = (command = 0x21) =>
  Buffer.from(`0d0a0d0a000d0a515549540a${command.toString(16)}11000cc63364070a0000018ae201bb`, "hex");

let door: BrokerDoor;
const origins: string[] = [];

beforeAll(async () => {
  const listen = { address: "127.0.0.1", port: 0, ...(await createTlsPair()) };
  const balancers = parseBalancers("127.0.0.2, 127.0.0.3/32");
  door = await openBrokerDoor({
    listen: { ...listen, balancers },
    limits: { handshakeMs: 700 },
    auth: {
      ...playAuth(),
      verify: async ({ origin }) => {
        origins.push(origin);
        return { id: 0, outcome: "denied" };
      },
    },
  });
});
afterAll(async () => {
  await door.close();
});

/** As a balancer: what comes from 127.0.0.2 is believed. */
const asBalancer = { localAddress: "127.0.0.2" };

describe("a listed balancer", () => {
  test("says whose connection it is, before TLS and in a packet with it", async () => {
    for (const isTogether of [false, true]) {
      const { text, protocol } = await askPing(door.port, { ...asBalancer, before: header(), isTogether });
      expect(text).toContain(ALIVE);
      expect(protocol).toBe("TLSv1.3");
    }
    expect((await askPing(door.port, { ...asBalancer, before: header(0x20) })).text).toContain(ALIVE);
    const line = Buffer.from("PROXY TCP4 198.51.100.7 10.0.0.1 35554 443\r\n");
    expect((await askPing(door.port, { ...asBalancer, before: line })).text).toContain(ALIVE);
  });

  test("is refused without a header, with a broken one, and with half of one", async () => {
    for (const before of [
      undefined,
      Buffer.from("PROXY nobody\r\n"),
      header(0x23),
      header().subarray(0, 20),
    ]) {
      const { text } = await askPing(
        door.port,
        before === undefined ? asBalancer : { ...asBalancer, before },
      );
      expect(text).toMatch(/^(closed|error)/);
    }
  });
});

describe("anybody else", () => {
  test("comes in without a header", async () => {
    const { text, protocol } = await askPing(door.port);
    expect(text).toContain(ALIVE);
    expect(protocol).toBe("TLSv1.3");
    expect((await askPing(door.port, { tls: { maxVersion: "TLSv1.2" } })).protocol).toBe("TLSv1.2");
  });

  test("is refused with one, so that nobody chooses an address", async () => {
    for (const isTogether of [false, true])
      expect((await askPing(door.port, { before: header(), isTogether })).text).toMatch(/^(closed|error)/);
  });
});

describe("where nobody is listed", () => {
  test("a header is refused from everybody", async () => {
    const plain = await openBrokerDoor();
    for (const localAddress of ["127.0.0.1", "127.0.0.2"])
      expect((await askPing(plain.port, { localAddress, before: header() })).text).toMatch(/^(closed|error)/);
    await plain.close();
  });
});

test("the address that a balancer gives is the client's for those who ask, and its own otherwise", async () => {
  const client = await door.open();
  client.send(connectRequest(1));
  await client.expect(/401/);
  expect(origins).toEqual(["127.0.0.1"]);
  client.close();

  const proxied = await openProxied(door.port, header(), asBalancer.localAddress);
  proxied.write(connectRequest(1));
  await until("the question", () => origins.length === 2);
  expect(origins[1]).toBe("198.51.100.7");
  proxied.destroy();
});

test("a session behind a balancer carries bytes both ways, whole and in order", async () => {
  const other = await openBrokerDoor({
    listen: {
      address: "127.0.0.1",
      port: 0,
      ...(await createTlsPair()),
      balancers: parseBalancers("127.0.0.2"),
    },
  });
  // It sends all back, however slowly it is read.
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  other.store.addDesktop(1, 1);
  other.store.onRequest = (session) => reportListening(other.store, session, portOf(echo));

  const client = await openProxied(other.port, header(), asBalancer.localAddress);
  const received: Buffer[] = [];
  let text = "";
  client.on("data", (chunk: Buffer) => {
    if (text.includes("X-QVD-Slave-Key")) received.push(chunk);
    else text += chunk.toString("latin1");
  });
  client.write(connectRequest(1));
  await until("the session", () => text.includes("X-QVD-Slave-Key"));
  const sent = Buffer.from(Uint32Array.from({ length: 2_000_000 }, (_, index) => index).buffer);
  client.write(sent);
  await until(
    "the echo",
    () => received.reduce((sum, { length }) => sum + length, 0) === sent.length,
    20_000,
  );
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  client.end();
  await until("the end", () => other.store.sessions[0]?.end !== undefined);
  expect(other.store.sessions[0]?.end).toMatchObject({ cause: "client-left", bytesFromClient: sent.length });
  await other.close();
  echo.close();
}, 30_000);

test("one whose header is under way when the broker is replaced gets its answer, and then the end", async () => {
  const [replaced, states]: [AbortController, BrokerState[]] = [new AbortController(), []];
  const balancers = parseBalancers("127.0.0.2");
  const other = await openBrokerDoor({
    listen: { address: "127.0.0.1", port: 0, ...(await createTlsPair()), balancers },
    replaced: replaced.signal,
    onState: (state) => states.push(state),
  });
  const said = Promise.withResolvers<Uint8Array>();
  const opening = openProxied(other.port, said.promise, asBalancer.localAddress);
  await until("it has come", () => states.at(-1)?.open === 1);
  replaced.abort();
  await until("the broker drains", () => states.at(-1)?.phase === "draining");
  said.resolve(header());
  const client = await opening;
  let text = "";
  client.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  client.write("GET /qvd/ping HTTP/1.1\r\n\r\n");
  await until("its answer", () => text.endsWith(`${ALIVE}\r\n`));
  // Nobody keeps a broker that was replaced by asking nothing.
  await other.ended;
  client.destroy();
  await other.close();
}, 30_000);

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  return address.port;
}

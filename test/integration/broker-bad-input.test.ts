import { afterAll, beforeAll, expect, test } from "bun:test";
import { runBroker } from "../../src/broker/run-broker.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run } from "../../src/lib/run.ts";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { type BrokerDoor, basic, openBrokerDoor, until } from "../support/broker-door.ts";
import { playAuth } from "../support/played-auth.ts";
import { QvdClient } from "../support/qvd-client.ts";
import { createTlsPair } from "../support/tls-pair.ts";

let door: BrokerDoor;
beforeAll(async () => {
  door = await openBrokerDoor({
    limits: { handshakeMs: 1_500, headMs: 1_500, idleMs: 2_000, lingerMs: 300, connections: 60 },
  });
});
afterAll(() => door.close());

/** A raw TCP connection to the TLS port. */
async function openRaw() {
  const seen = { received: Buffer.alloc(0), isClosed: false };
  const socket = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port: door.port,
    data: undefined,
    socket: {
      data: (_socket, chunk) => {
        seen.received = Buffer.concat([seen.received, chunk]);
      },
      close: () => {
        seen.isClosed = true;
      },
      error: () => {},
    },
  });
  return { socket, seen };
}

async function isAlive(): Promise<boolean> {
  const client = await door.open();
  client.send("GET /qvd/ping HTTP/1.1\r\n\r\n");
  const { status } = await client.answer();
  client.close();
  return status === 200;
}

test("10,000 header lines are refused with a reason that arrives", async () => {
  const client = await door.open();
  client.send(`GET /qvd/ping HTTP/1.1\r\n${"X-Line: 1\r\n".repeat(10_000)}\r\n`);
  expect(await client.answer()).toMatchObject({ status: 431, body: "There are too many header lines." });
  await client.expectEnd();
});

test("headers without end are refused at the limit", async () => {
  const client = await door.open();
  client.send("GET /qvd/ping HTTP/1.1\r\n");
  for (let sent = 0; sent < 60_000 && !client.hasEnded; sent += 7_000) {
    client.send(`A: ${"y".repeat(7_000)}\r\n`);
    await sleep(1);
  }
  expect((await client.answer()).status).toBe(431);
  await client.expectEnd();
});

test("a request line without end is refused", async () => {
  const client = await door.open();
  client.send(`GET /${"x".repeat(20_000)}`);
  expect((await client.answer()).status).toBe(414);
  await client.expectEnd();
});

test("a head that never ends is cut off at its deadline, however slowly it drips", async () => {
  const client = await door.open();
  const startMs = performance.now();
  client.send("GET /qvd/ping HTTP/1.1\r\n");
  while (!client.isClosed && !client.hasEnded && performance.now() - startMs < 15_000) {
    client.send("A: b\r\n");
    await sleep(50);
  }
  expect(client.isClosed || client.hasEnded).toBe(true);
});

test("an idle connection is closed after its time", async () => {
  const client = await door.open();
  client.send("GET /qvd/ping HTTP/1.1\r\n\r\n");
  await client.answer();
  await client.expectEnd(10_000);
});

test("a stranger is closed sooner than somebody who has signed in", async () => {
  const patient = await openBrokerDoor({ limits: { idleMs: 60_000, strangerIdleMs: 1_500 } });
  const [stranger, alice] = [await patient.open(), await patient.open()];
  stranger.send("GET /qvd/ping HTTP/1.1\r\n\r\n");
  alice.send(`GET /qvd/list_of_vm HTTP/1.1\r\n${basic("alice")}\r\n\r\n`);
  await stranger.answer();
  await alice.answer();
  await stranger.expectEnd(10_000);
  alice.send("GET /qvd/ping HTTP/1.1\r\n\r\n");
  expect((await alice.answer()).status).toBe(200);
  await patient.close();
});

test("whoever connects and says nothing is closed", async () => {
  const { seen } = await openRaw();
  await until("the silent one is closed", () => seen.isClosed, 10_000);
});

test("garbage instead of TLS closes that connection and no other", async () => {
  for (const garbage of [
    "GET /qvd/ping HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\x40\x00garbage",
    "\0".repeat(5_000),
  ]) {
    const { socket, seen } = await openRaw();
    socket.write(garbage);
    await until("the garbage is closed", () => seen.isClosed, 10_000);
  }
  expect(await isAlive()).toBe(true);
});

test("a TLS session that turns to garbage is closed", async () => {
  const client = await door.open();
  client.send("\0\xff\0".repeat(50));
  client.send("\n");
  expect((await client.answer()).status).toBe(400);
});

test("whoever asks on and never reads is dropped, and can't make us keep the answers", async () => {
  const patient = await openBrokerDoor({ limits: { idleMs: 60_000 } });
  const client = await patient.open();
  client.pause();
  // Few enough at a time to be answered before the next come.
  const some = "GET /qvd/list_of_vm HTTP/1.1\n\n".repeat(1_000);
  for (let rounds = 0; rounds < 150 && !client.isClosed; rounds++) {
    client.send(some);
    await sleep(10);
  }
  client.resume();
  await until("it is closed", () => client.isClosed);
  await patient.close();
}, 20_000);

test("connections over the limit are closed, and there is room again after", async () => {
  const many = await Promise.all(Array.from({ length: 90 }, () => openRaw().catch(() => undefined)));
  await until(
    "those over the limit are closed",
    () => many.filter((one) => one?.seen.isClosed !== false).length >= 30,
  );
  for (const one of many) one?.socket.terminate();
  const hasRoom = () => isAlive().catch(() => false);
  expect(await waitFor(hasRoom, { timeoutMs: 15_000 })).toBe(true);
});

test("a failing answer leaves as two TLS records: the C client hangs when it is one", async () => {
  const failing = `GET /qvd/stop_vm HTTP/1.1\r\n${basic("alice")}\r\n\r\n`;
  const client = await door.open();
  client.send(failing);
  const { head, body } = await client.answer();
  expect(await recordLengths(failing)).toEqual([head.length, body.length]);
});

/** Lengths of the TLS 1.3 application records that answer `request`, as seen on the wire. */
async function recordLengths(request: string): Promise<number[]> {
  const tap = { bytes: Buffer.alloc(0), isOn: false };
  const server = Bun.listen<{ peer?: Bun.Socket<Bun.Socket<unknown>> }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: async (socket) => {
        socket.data = {};
        socket.data.peer = await Bun.connect({
          hostname: "127.0.0.1",
          port: door.port,
          data: socket,
          socket: {
            data: (_peer, chunk) => {
              if (tap.isOn) tap.bytes = Buffer.concat([tap.bytes, chunk]);
              socket.write(chunk);
            },
          },
        });
      },
      data: async (socket, chunk) => {
        const copy = Uint8Array.from(chunk);
        while (socket.data.peer === undefined) await sleep(1);
        socket.data.peer.write(copy);
      },
    },
  });
  const client = await QvdClient.open(server.port);
  // The first answer carries the session tickets along.
  client.send("GET /qvd/ping HTTP/1.1\n\n");
  await client.answer();
  tap.isOn = true;
  client.send(request);
  await client.answer();
  client.close();
  server.stop(true);
  const lengths: number[] = [];
  for (let at = 0; at + 5 <= tap.bytes.length; at += 5 + tap.bytes.readUInt16BE(at + 3))
    if (tap.bytes[at] === 23) lengths.push(tap.bytes.readUInt16BE(at + 3) - 17);
  return lengths;
}

test("h2 is never chosen, TLS 1.1 is refused", async () => {
  const connect = (options: string[]) =>
    run(["openssl", "s_client", "-connect", `127.0.0.1:${door.port}`, ...options], { stdin: "" });
  expect((await connect(["-alpn", "h2,http/1.1"])).stdout).toContain("No ALPN negotiated");
  expect((await connect(["-tls1_2"])).stdout).toContain("Protocol  : TLSv1.2");
  const old = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"];
  expect((await connect(old)).stdout).toContain("no peer certificate available");
});

test("workers share a port", async () => {
  const pair = await createTlsPair();
  const other = await openBrokerDoor({ listen: { address: "127.0.0.1", port: door.port, ...pair } });
  for (let round = 0; round < 20; round++) expect(await isAlive()).toBe(true);
  await other.close();
  for (let round = 0; round < 5; round++) expect(await isAlive()).toBe(true);
});

test("an address that can't be listened on is a clear error", async () => {
  const failing = runBroker({
    listen: { address: "192.0.2.1", port: 8443, tlsKey: "", tlsCertificate: "" },
    store: door.store,
    auth: { ...playAuth(), verify: async () => ({ id: 0, outcome: "denied" }) },
    connectWakes: () => ({ wake: () => {}, close: () => {} }),
    log: silentLog(),
    signal: AbortSignal.abort(),
  });
  await expect(failing).rejects.toThrow("QVD_BROKER_PORT");
});

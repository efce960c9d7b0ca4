import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { connectRequest, until } from "../support/broker-door.ts";
import { QvdClient } from "../support/qvd-client.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const GIB = 2 ** 30;
const MOST_GROWTH_BYTES = 64 * 2 ** 20;
/** What sockets and TLS may hold between a reader that stands still and a writer. */
const MOST_IN_FLIGHT_BYTES = 64 * 2 ** 20;
/** A length that no buffer divides, so that lost or doubled pieces shift the pattern. */
const PATTERN = new Uint8Array(251 * 1009).map((_, index) => (index * 7) % 251);

const folder = mkdtempSync(`${tmpdir()}/qvd-backpressure-`);
let desktop: BulkDesktop;
let broker: Bun.Subprocess<"ignore", "pipe", "inherit">;
let port = 0;

/** Writes PATTERN over and over until `total` bytes are out, as fast as the other side takes them. */
class BulkWriter {
  sentBytes = 0;
  readonly #total: number;
  readonly #write: (bytes: Uint8Array) => number;

  constructor(total: number, write: (bytes: Uint8Array) => number) {
    this.#total = total;
    this.#write = write;
  }

  fill(): void {
    while (this.sentBytes < this.#total) {
      const at = this.sentBytes % PATTERN.length;
      const part = PATTERN.subarray(at, at + Math.min(PATTERN.length - at, this.#total - this.sentBytes));
      const written = Math.max(0, this.#write(part));
      this.sentBytes += written;
      if (written < part.length) return;
    }
  }
}

/** Counts what comes, and how much of it was not what PATTERN has there. */
class BulkReader {
  receivedBytes = 0;
  wrongPieces = 0;

  take(chunk: Uint8Array): void {
    for (let done = 0; done < chunk.length; ) {
      const at = this.receivedBytes % PATTERN.length;
      const part = chunk.subarray(done, done + PATTERN.length - at);
      if (Buffer.compare(part, PATTERN.subarray(at, at + part.length)) !== 0) this.wrongPieces++;
      done += part.length;
      this.receivedBytes += part.length;
    }
  }
}

type BulkDesktop = {
  readonly port: number;
  reader: BulkReader;
  writer: BulkWriter | undefined;
  socket: Bun.Socket<undefined> | undefined;
  readonly stop: () => void;
};

function openBulkDesktop(): BulkDesktop {
  const server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        bulk.socket = socket;
        bulk.reader = new BulkReader();
      },
      data: (_socket, chunk) => bulk.reader.take(chunk),
      drain: () => bulk.writer?.fill(),
      error: () => {},
    },
  });
  const bulk: BulkDesktop = {
    port: server.port,
    reader: new BulkReader(),
    writer: undefined,
    socket: undefined,
    stop: () => server.stop(true),
  };
  return bulk;
}

beforeAll(async () => {
  desktop = openBulkDesktop();
  const { tlsKey, tlsCertificate } = await createTlsPair();
  writeFileSync(`${folder}/key`, tlsKey);
  writeFileSync(`${folder}/crt`, tlsCertificate);
  // In a process of its own, so that its memory is the broker's alone.
  const script = join(import.meta.dir, "../support/broker-process.ts");
  broker = Bun.spawn([process.execPath, script, String(desktop.port), `${folder}/key`, `${folder}/crt`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await broker.stdout.getReader().read();
  port = Number(new TextDecoder().decode(value));
});
afterAll(async () => {
  broker.kill("SIGKILL");
  await broker.exited;
  desktop.stop();
  rmSync(folder, { recursive: true });
});

async function residentBytes(): Promise<number> {
  const status = await Bun.file(`/proc/${broker.pid}/status`).text();
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** The most memory above `before` until `isDone` or the deadline. */
async function watchGrowth(before: number, isDone: () => boolean, timeoutMs = 60_000): Promise<number> {
  let most = 0;
  const look = async () => {
    most = Math.max(most, (await residentBytes()) - before);
    return isDone();
  };
  await waitFor(look, { timeoutMs, everyMs: 20 });
  return most;
}

async function sitDown(): Promise<QvdClient> {
  desktop.socket = undefined;
  const client = await QvdClient.open(port);
  client.send(connectRequest(1));
  await client.expect(/101 Switching Protocols\r\n[\s\S]*?\r\n\r\n/);
  await until("the desktop is connected to", () => desktop.socket !== undefined);
  return client;
}

test("1 GiB to a client that stands still for a while arrives whole, and memory stays", async () => {
  // The first session warms up what is allocated once.
  (await sitDown()).close();
  const before = await residentBytes();
  const client = await sitDown();
  const reader = new BulkReader();
  client.take = (chunk) => reader.take(chunk);
  client.pause();
  const writer = new BulkWriter(GIB, (bytes) => desktop.socket?.write(bytes) ?? 0);
  desktop.writer = writer;
  writer.fill();
  const still = await watchGrowth(before, () => false, 2_000);
  expect(writer.sentBytes).toBeLessThan(MOST_IN_FLIGHT_BYTES);
  client.resume();
  const flowing = await watchGrowth(before, () => reader.receivedBytes >= GIB);
  expect([reader.receivedBytes, reader.wrongPieces]).toEqual([GIB, 0]);
  expect(Math.max(still, flowing)).toBeLessThan(MOST_GROWTH_BYTES);
  client.close();
}, 90_000);

test("1 GiB to a desktop that stands still for a while arrives whole, and memory stays", async () => {
  const before = await residentBytes();
  const client = await sitDown();
  desktop.socket?.pause();
  const writer = new BulkWriter(GIB, (bytes) => client.write(bytes));
  client.flush = () => writer.fill();
  writer.fill();
  const still = await watchGrowth(before, () => false, 2_000);
  expect(writer.sentBytes).toBeLessThan(MOST_IN_FLIGHT_BYTES);
  desktop.socket?.resume();
  const flowing = await watchGrowth(before, () => desktop.reader.receivedBytes >= GIB);
  expect([desktop.reader.receivedBytes, desktop.reader.wrongPieces]).toEqual([GIB, 0]);
  expect(Math.max(still, flowing)).toBeLessThan(MOST_GROWTH_BYTES);
  client.close();
}, 90_000);

test("what a desktop sent before it closed still reaches a slow client", async () => {
  const client = await sitDown();
  const reader = new BulkReader();
  client.take = (chunk) => reader.take(chunk);
  client.pause();
  const total = 3 * 2 ** 20;
  const writer = new BulkWriter(total, (bytes) => desktop.socket?.write(bytes) ?? 0);
  desktop.writer = writer;
  writer.fill();
  await until("all was taken", () => writer.sentBytes === total);
  desktop.socket?.end();
  await sleep(100);
  client.resume();
  await client.expectEnd();
  expect([reader.receivedBytes, reader.wrongPieces]).toEqual([total, 0]);
}, 30_000);

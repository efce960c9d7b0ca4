/** The clients that exist, replayed byte for byte against a broker over TLS. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  type BrokerDoor,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  until,
} from "../support/broker-door.ts";
import { QvdClient } from "../support/qvd-client.ts";
import {
  C_BY_TOKEN,
  PERL_BY_TOKEN,
  RECORDED_CLIENTS,
  RECORDED_TOKEN,
  RECORDED_TOKEN_OF_MANY_USES,
  type RecordedClient,
} from "../support/recorded-clients.ts";
import { createTableWebStore } from "../support/table-web-store.ts";
import { createTlsPair } from "../support/tls-pair.ts";
import { openTlsRecordRelay } from "../support/tls-record-relay.ts";

const SWITCHED = /^[\s\S]*?HTTP\/1\.1 101 Switching Protocols\r\nX-QVD-Slave-Key: [A-Za-z0-9]{64}\r\n\r\n/;

let door: BrokerDoor;
let desktop: EchoDesktop;
beforeAll(async () => {
  // As a box has it: the gateway looks at the first line of each connection.
  door = await openBrokerDoor({ web: createTableWebStore(() => undefined) });
  desktop = openEchoDesktop();
});
afterAll(async () => {
  desktop.stop();
  await door.close();
});
beforeEach(() => {
  // Of one use: what a client asks for on its one connection is one use.
  door.auth.tokens.set(RECORDED_TOKEN, { userId: 1, isMultiUse: false });
  door.auth.tokens.set(RECORDED_TOKEN_OF_MANY_USES, { userId: 1, isMultiUse: true });
  door.store.addDesktop(1, 1, { state: "running", wish: "running" });
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
  door.store.onStop = () => {};
});

const last = () => {
  const session = door.store.sessions.at(-1);
  if (session === undefined) throw new Error("no session was requested");
  return session;
};

/** Each write is a TLS record of its own. */
const CUTS: readonly (readonly [string, (text: string) => readonly string[]])[] = [
  ["in one record", (text) => [text]],
  ["in two records", (text) => [text.slice(0, 17), text.slice(17)]],
  ["a record a line", (text) => text.split(/(?<=\n)/)],
];

async function replay(
  recorded: RecordedClient,
  cut: (text: string) => readonly string[],
  between: (asking: QvdClient) => Promise<void> = async () => {},
): Promise<QvdClient> {
  const first = await door.open();
  for (const part of cut(recorded.list)) first.send(part);
  const { status, body } = await first.answer();
  expect([status, JSON.parse(body)[0]]).toEqual([
    200,
    { id: 1, name: "vm1", state: "running", blocked: 0, is_application: 0 },
  ]);
  expect(first.hasEnded).toBe(false);
  await between(first);
  const client = recorded.connections === "one" ? first : await door.open();
  for (const part of cut(recorded.connect)) client.send(part);
  await client.expect(SWITCHED);
  return client;
}

for (const recorded of [...RECORDED_CLIENTS, PERL_BY_TOKEN, C_BY_TOKEN])
  describe(recorded.name, () => {
    for (const [how, cut] of CUTS)
      test(`has its desktop stopped before, ${how}`, async () => {
        door.store.onStop = (vmId) => door.store.addDesktop(vmId, 1);
        const { request, status } = recorded.stop;
        const client = await replay(recorded, cut, async (asking) => {
          for (const part of cut(request)) asking.send(part);
          const answer = await asking.answer();
          expect(answer.status).toBe(status);
          if (status === 200) expect(answer.body).toBe("Machine stopped\r\n");
          expect(door.store.desktops.get(asId<VmId>(1))?.state).toBe(status === 200 ? "stopped" : "running");
        });
        client.send(recorded.first);
        await client.expect(new RegExp(`^${recorded.first}$`));
        client.close();
      });

    for (const [how, cut] of CUTS)
      test(`gets its session, ${how}`, async () => {
        const client = await replay(recorded, cut);
        // Nothing comes before the client speaks.
        expect(client.received).toBe("");
        client.send(recorded.first);
        await client.expect(new RegExp(`^${recorded.first}$`));
        expect(last().client).toMatchObject(recorded.told);
        client.close();
        await until("the end is recorded", () => last().end !== undefined);
      });
  });

test("what a Qt client says beyond the five reaches the desktop as far as it may pass", async () => {
  const windows = RECORDED_CLIENTS[3];
  if (windows === undefined) throw new Error("there is no such client");
  (await replay(windows, (text) => [text])).close();
  expect(last().client.given).toMatchObject({
    "qvd.client.timezone": "Europe/Madrid",
    "qvd.client.printing.enabled": "1",
    "qvd.client.audio.compression.enable": "1",
    "qvd.client.type": "qt",
  });
  const names = Object.keys(last().client.given ?? {});
  expect(names).not.toContain("qvd.client.nxagent.extra_args");
  expect(names).not.toContain("qvd.client.hostname");
});

test("what a Perl client says of Windows reaches the desktop", async () => {
  const windows = RECORDED_CLIENTS.find(({ name }) => name === "Perl on Windows");
  if (windows === undefined) throw new Error("there is no such client");
  (await replay(windows, (text) => [text])).close();
  expect(last().client.given).toMatchObject({
    "qvd.client.os": "windows",
    "qvd.client.os.name": "Windows 10",
    "qvd.client.os.version": "10.0",
    "qvd.client.hostname": "ANNS-PC",
    "qvd.client.printing.flavor": "slave4",
  });
});

test("all of them get their sessions from a broker that is a process of its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qvd-recorded-"));
  const { tlsKey, tlsCertificate } = await createTlsPair();
  const files = { key: join(folder, "key"), certificate: join(folder, "crt") };
  writeFileSync(files.key, tlsKey);
  writeFileSync(files.certificate, tlsCertificate);
  const script = join(import.meta.dir, "../support/broker-process.ts");
  const command = [process.execPath, script, `${desktop.port}`, files.key, files.certificate];
  const broker = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const { value } = await broker.stdout.getReader().read();
    const port = Number(new TextDecoder().decode(value).trim());
    for (const recorded of RECORDED_CLIENTS) {
      const asking = await QvdClient.open(port);
      asking.send(recorded.list);
      expect((await asking.answer()).status).toBe(200);
      const client = recorded.connections === "one" ? asking : await QvdClient.open(port);
      client.send(recorded.connect);
      await client.expect(SWITCHED);
      client.send(recorded.first);
      await client.expect(new RegExp(`^${recorded.first}$`));
      client.close();
      asking.close();
    }
  } finally {
    broker.kill();
    await broker.exited;
    rmSync(folder, { recursive: true });
  }
});

/** Sends over TLS 1.2 through a relay that counts; resolves with the lengths of the records that came back. */
async function recordsOf(
  text: string,
  isComplete: (received: string) => boolean,
): Promise<readonly number[]> {
  const relay = openTlsRecordRelay(door.port);
  const socket = connectTls({
    host: "127.0.0.1",
    port: relay.port,
    maxVersion: "TLSv1.2",
    rejectUnauthorized: false,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  try {
    let received = "";
    let isBroken = false;
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("error", () => {
      isBroken = true;
    });
    await waitFor(() => isBroken || socket.getProtocol() !== null, { timeoutMs: 15_000, everyMs: 2 });
    // libcurl offers h2 first; the dialect is HTTP/1.1.
    expect(socket.alpnProtocol === "h2").toBe(false);
    const before = relay.records.length;
    socket.write(text);
    const isThere = await waitFor(() => isComplete(received), { timeoutMs: 15_000, everyMs: 2 });
    if (!isThere) throw new Error(`no answer in time: ${JSON.stringify(received)}`);
    return relay.records.slice(before);
  } finally {
    socket.destroy();
    relay.stop();
  }
}

describe("TLS records, on which the C library depends", () => {
  const wrong = "Authorization: Basic YWxpY2U6d3Jvbmc=";
  const connect = RECORDED_CLIENTS[1]?.connect ?? "";

  test("head and body of an error are two", async () => {
    const text = connect.replace(/Authorization: .*/, wrong);
    expect(await recordsOf(text, (received) => received.includes("401 Unauthorized\r\n\r\n"))).toHaveLength(
      2,
    );
  });

  test("head and body of a list are two", async () => {
    const text = RECORDED_CLIENTS[1]?.list ?? "";
    expect(await recordsOf(text, (received) => received.endsWith("]\n"))).toHaveLength(2);
  });

  test("the 101 is one, whole", async () => {
    const records = await recordsOf(connect, (received) => /Slave-Key: \w{64}\r\n\r\n$/.test(received));
    const head = `HTTP/1.1 101 Switching Protocols\r\nX-QVD-Slave-Key: ${"k".repeat(64)}\r\n\r\n`;
    // What encryption adds is the same for each record.
    const progress = "HTTP/1.1 102 Processing\r\nX-QVD-VM-Info: Connection established\r\n\r\n";
    expect((records.at(-1) ?? 0) - (records.at(-2) ?? 0)).toBe(head.length - progress.length);
  });
});

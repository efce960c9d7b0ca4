/** Two brokers, as on two boxes: a client of one reaches a desktop of the other's, and strangers don't. */

import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect as connectTls, createServer } from "node:tls";
import { parseBalancers } from "../../src/broker/balancers.ts";
import type { ListenOptions } from "../../src/broker/listen.ts";
import { type BoxIdentity, findProofFault, formatProof } from "../../src/broker/relay/box-proof.ts";
import { formatChannelProof } from "../../src/broker/relay/channel-proof.ts";
import type { BrokerDeps } from "../../src/broker/run-broker.ts";
import { asId, type SessionId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { BrokerState } from "../../src/wire/broker/state-file.ts";
import { createBoxIdentities, openEchoDesktop } from "../support/box-identities.ts";
import { type BrokerDoor, openBrokerDoor, until } from "../support/broker-door.ts";
import type { QvdClient } from "../support/qvd-client.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const CONNECT =
  "GET /qvd/connect_to_vm?id=1 HTTP/1.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\nConnection: Upgrade\r\nUpgrade: QVD/1.0\r\n\r\n";

let one: BoxIdentity;
let two: BoxIdentity;
let stranger: BoxIdentity;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  const [first, second] = await createBoxIdentities("one", "two");
  const [third] = await createBoxIdentities("stranger");
  if (first === undefined || second === undefined || third === undefined) throw new Error("no certificates");
  [one, two, stranger] = [first, second, third];
}, 30_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Shows the box's own certificate, or another. */
async function openDoor(
  identity: BoxIdentity,
  more: Partial<ListenOptions> = {},
  deps: Partial<BrokerDeps> = {},
): Promise<BrokerDoor> {
  const listen = {
    address: "127.0.0.1",
    port: 0,
    tlsKey: identity.key,
    tlsCertificate: identity.certificate,
    ...more,
  };
  const door = await openBrokerDoor({ identity, listen, ...deps });
  closing.push(door.close);
  door.store.address = `127.0.0.1:${door.port}`;
  return door;
}

function openDesktop() {
  const desktop = openEchoDesktop();
  closing.push(desktop.close);
  return desktop;
}

/** Both boxes see one database: what the near one is told of a session, the far one knows. */
function shareSessions(near: BrokerDoor, far: BrokerDoor, desktopPort: number): void {
  near.store.addDesktop(1, 1, { state: "running" });
  near.store.onRequest = (session) => {
    session.state = "listening";
    session.address = "127.0.0.1";
    session.port = desktopPort;
    session.elsewhere = { node: "far", address: far.store.address };
    far.store.sessions.push(session);
  };
}

async function connect(near: BrokerDoor): Promise<QvdClient> {
  const client = await near.open();
  client.send(CONNECT);
  return client;
}
const receives = (client: QvdClient, text: string) =>
  waitFor(() => client.received.includes(text), { timeoutMs: 15_000, everyMs: 5 });

describe("a session at a desktop of another box", () => {
  test("goes through that box's broker, from the desktop's first byte on", async () => {
    const desktop = openDesktop();
    const [near, far] = [await openDoor(one), await openDoor(two)];
    shareSessions(near, far, desktop.port);
    const client = await connect(near);
    expect(await receives(client, "NXPROXY-hello")).toBe(true);
    expect(client.received).toContain("HTTP/1.1 101 Switching Protocols\r\nX-QVD-Slave-Key:");
    client.send("ping from afar");
    expect(await receives(client, "ping from afar")).toBe(true);
    expect(desktop.connections).toBe(1);
    client.shutdown();
    expect(
      await waitFor(() => near.store.sessions[0]?.end !== undefined, { timeoutMs: 15_000, everyMs: 5 }),
    ).toBe(true);
    expect(near.store.sessions[0]?.end).toMatchObject({
      cause: "client-left",
      bytesFromClient: 14,
      bytesToClient: 27,
    });
  });

  test("carries megabytes both ways unharmed", async () => {
    const desktop = openDesktop();
    const [near, far] = [await openDoor(one), await openDoor(two)];
    shareSessions(near, far, desktop.port);
    const client = await connect(near);
    await receives(client, "NXPROXY-hello");
    let echoed = 0;
    client.received = "";
    client.pipeTo((chunk) => {
      echoed += chunk.length;
    });
    const block = new Uint8Array(256 * 1024).fill(7);
    for (let n = 0; n < 32; n++) client.send(block);
    const all = 32 * block.length;
    expect(await waitFor(() => desktop.received === all, { timeoutMs: 20_000, everyMs: 10 })).toBe(true);
    expect(echoed).toBeGreaterThan(0);
  }, 30_000);

  test("is told to a client that takes over, and ends here and there", async () => {
    const desktop = openDesktop();
    const [near, far] = [await openDoor(one), await openDoor(two)];
    shareSessions(near, far, desktop.port);
    const first = await connect(near);
    await receives(first, "NXPROXY-hello");
    const second = await connect(near);
    expect(await receives(second, "NXPROXY-hello")).toBe(true);
    expect(await waitFor(() => first.isClosed || first.hasEnded, { timeoutMs: 15_000, everyMs: 5 })).toBe(
      true,
    );
    expect(desktop.connections).toBe(2);
  });

  test("counts at that box's broker when it is replaced, and its end is announced", async () => {
    const desktop = openDesktop();
    const states: BrokerState[] = [];
    const replaced = new AbortController();
    const far = await openDoor(
      two,
      {},
      {
        replaced: replaced.signal,
        onState: (state) => states.push(state),
        limits: { drainMs: 4_000 },
      },
    );
    const near = await openDoor(one);
    shareSessions(near, far, desktop.port);
    const client = await connect(near);
    await receives(client, "NXPROXY-hello");
    const session = near.store.sessions[0];
    expect(session?.endsInMs).toBeUndefined();
    replaced.abort();
    await until("it is announced", () => session?.endsInMs !== undefined);
    expect(session?.endsInMs).toBeWithin(1, 4_001);
    await until("it is told", () => states.at(-1)?.phase === "draining");
    expect(states.at(-1)).toMatchObject({ phase: "draining", sessions: 1 });
    client.send("on and on");
    expect(await receives(client, "on and on")).toBe(true);
    await far.ended;
    // Just before: whose session it is must not take it for a desktop that closed.
    expect(session?.endsInMs).toBe(0);
  }, 30_000);

  test("keeps that box's broker no longer than it lasts", async () => {
    const desktop = openDesktop();
    const replaced = new AbortController();
    const far = await openDoor(two, {}, { replaced: replaced.signal });
    const near = await openDoor(one);
    shareSessions(near, far, desktop.port);
    const client = await connect(near);
    await receives(client, "NXPROXY-hello");
    replaced.abort();
    client.close();
    await far.ended;
    expect(near.store.sessions[0]?.endsInMs).not.toBe(0);
  }, 30_000);

  test("can't be reached through a broker of another site, nor by one", async () => {
    const desktop = openDesktop();
    for (const [here, there] of [
      [one, stranger],
      [stranger, one],
    ] as const) {
      const [near, far] = [await openDoor(here), await openDoor(there)];
      shareSessions(near, far, desktop.port);
      const client = await connect(near);
      expect(await receives(client, "can't be reached through node far")).toBe(true);
    }
    expect(desktop.connections).toBe(0);
  });

  test("is refused in words when its node has told no address, or nothing listens there", async () => {
    const near = await openDoor(one);
    near.store.addDesktop(1, 1, { state: "running" });
    for (const address of [undefined, "127.0.0.1:1"]) {
      near.store.onRequest = (session) =>
        Object.assign(session, {
          state: "listening",
          address: "127.0.0.1",
          port: 1,
          elsewhere: { node: "far", address },
        });
      const client = await connect(near);
      expect(await receives(client, "node far")).toBe(true);
    }
  });
});

describe("where the port shows a certificate of another authority", () => {
  for (const balancers of [undefined, parseBalancers("127.0.0.2")])
    test(`boxes know each other all the same${balancers ? ", also where balancers are listed" : ""}`, async () => {
      const desktop = openDesktop();
      const shown = { ...(await createTlsPair()), balancers };
      const [near, far] = [await openDoor(one, shown), await openDoor(two, shown)];
      shareSessions(near, far, desktop.port);
      const client = await connect(near);
      expect(await receives(client, "NXPROXY-hello")).toBe(true);
      client.send("ping from afar");
      expect(await receives(client, "ping from afar")).toBe(true);
      expect(desktop.connections).toBe(1);
    });

  test("boxes of another site are none, whichever of the two is", async () => {
    const desktop = openDesktop();
    const shown = await createTlsPair();
    for (const [here, there] of [
      [one, stranger],
      [stranger, one],
    ] as const) {
      const [near, far] = [await openDoor(here), await openDoor(there, shown)];
      shareSessions(near, far, desktop.port);
      const client = await connect(near);
      expect(await receives(client, "can't be reached through node far")).toBe(true);
    }
    expect(desktop.connections).toBe(0);
  });

  test("nobody between two boxes can pass their proofs on, even with the port's own key", async () => {
    const desktop = openDesktop();
    const shown = await createTlsPair();
    const [near, far] = [await openDoor(one), await openDoor(two, shown)];
    shareSessions(near, far, desktop.port);
    const seen: string[] = [];
    const between = createServer({ key: shown.tlsKey, cert: shown.tlsCertificate }, (socket) => {
      const onward = connectTls({ host: "127.0.0.1", port: far.port, rejectUnauthorized: false });
      socket.on("data", (chunk: Buffer) => seen.push(chunk.toString("latin1")));
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) end.on("error", () => {});
    }).listen(0, "127.0.0.1");
    closing.push(() => between.close());
    await once(between, "listening");
    const told = near.store.onRequest;
    const at = between.address();
    const address = `127.0.0.1:${typeof at === "object" ? at?.port : ""}`;
    near.store.onRequest = (session) => {
      told(session);
      session.elsewhere = { node: "far", address };
    };
    const client = await connect(near);
    expect(await receives(client, "can't be reached through node far")).toBe(true);
    expect(seen.join("")).toStartWith("GET /qvd/relay_proof ");
    expect(seen.join("")).not.toContain("/qvd/relay?");
    expect(desktop.connections).toBe(0);
  });

  test("strangers are told that there is nothing, and what was signed elsewhere proves nothing", async () => {
    const far = await openDoor(two, await createTlsPair());
    const key = crypto.getRandomValues(new Uint8Array(32));
    const proofs = [
      {},
      formatChannelProof(stranger, "asks", key),
      formatChannelProof(one, "asks", key),
      formatChannelProof(one, "answers", key),
    ];
    for (const proof of proofs) {
      const client = await far.open();
      const lines = Object.entries(proof).map(([name, value]) => `${name}: ${value}\r\n`);
      client.send(`GET /qvd/relay_proof HTTP/1.1\r\n${lines.join("")}\r\n`);
      expect((await client.answer()).status).toBe(404);
    }
  });
});

describe("a broker that is asked to relay", () => {
  const ask = async (
    door: BrokerDoor,
    headers: Readonly<Record<string, string>>,
    session: number | string = 1,
  ) => {
    const client = await door.open();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    client.send(`GET /qvd/relay?session=${session} HTTP/1.1\r\n${lines.join("")}\r\n`);
    await waitFor(() => client.received.includes("\r\n\r\n"), { timeoutMs: 15_000, everyMs: 5 });
    return client.received.slice(9, 12);
  };

  test("answers nobody without a proof, nor one for another session or broker", async () => {
    const far = await openDoor(two);
    const address = far.store.address ?? "";
    const sessionId = asId<SessionId>(1);
    expect(await ask(far, {})).toBe("404");
    expect(await ask(far, formatProof(one, { sessionId: asId<SessionId>(2), address }))).toBe("404");
    expect(await ask(far, formatProof(one, { sessionId, address: "127.0.0.1:9" }))).toBe("404");
    expect(await ask(far, formatProof(stranger, { sessionId, address }))).toBe("404");
    // A good proof of a session that isn't there.
    expect(await ask(far, formatProof(one, { sessionId, address }))).toBe("503");
  });

  test("takes no proof for the port of a screen that was given for another, nor the other way round", async () => {
    const far = await openDoor(two);
    const request = { sessionId: asId<SessionId>(1), address: far.store.address ?? "" };
    const [door, screen] = [formatProof(one, request), formatProof(one, { ...request, isScreen: true })];
    expect([await ask(far, door), await ask(far, screen)]).toEqual(["503", "404"]);
    expect([await ask(far, door, "1&port=screen"), await ask(far, screen, "1&port=screen")]).toEqual([
      "404",
      "503",
    ]);
  });

  test("asks the database nothing for strangers", async () => {
    const far = await openDoor(two);
    const address = far.store.address ?? "";
    let asked = 0;
    const readRelay = far.store.readRelay.bind(far.store);
    far.store.readRelay = (sessionId) => {
      asked++;
      return readRelay(sessionId);
    };
    const request = { sessionId: asId<SessionId>(1), address };
    for (const headers of [{}, formatProof(stranger, request)]) expect(await ask(far, headers)).toBe("404");
    expect(asked).toBe(0);
    await ask(far, formatProof(one, request));
    expect(asked).toBe(1);
  });

  test("takes no session that its own broker has not claimed", async () => {
    const far = await openDoor(two);
    far.store.addDesktop(1, 1);
    const { sessionId } = await far.store.requestSession({
      asker: { actor: {} as never, origin: "" },
      vmId: asId(1),
      client: {} as never,
      slaveKey: "k",
    });
    Object.assign(far.store.sessions[0] ?? {}, { state: "listening", address: "127.0.0.1", port: 1 });
    const proof = formatProof(one, { sessionId, address: far.store.address ?? "" });
    expect(await ask(far, proof, Number(sessionId))).toBe("503");
  });

  test("reads hostile proofs as none", () => {
    const request = { sessionId: asId<SessionId>(1), address: "a:1" };
    const good = formatProof(one, request);
    const fault = (headers: Record<string, string>) =>
      findProofFault(one.authority, request, new Map(Object.entries(headers)));
    expect(fault({ ...good })).toBeUndefined();
    expect(fault({ ...good, "x-qvd-certificate": "%%%" })).toBe("it shows no certificate");
    expect(fault({ ...good, "x-qvd-certificate": Buffer.alloc(4_000, 1).toString("base64") })).toBe(
      "it shows no certificate",
    );
    expect(fault({ ...good, "x-qvd-signature": "AAAA" })).toBeDefined();
    expect(fault({ "x-qvd-signature": good["x-qvd-signature"] ?? "" })).toBe("it shows no certificate");
    const ca = Buffer.from(one.authority.replace(/-----[^-]+-----|\s/g, ""), "base64").toString("base64");
    expect(fault({ ...good, "x-qvd-certificate": ca })).toContain("not of the site's authority");
  });
});

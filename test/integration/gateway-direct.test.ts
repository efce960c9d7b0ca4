/** Screens that the gateway goes to itself, past the display door: here, on another box, and where that can't be done. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { DISPLAY_DIRECT } from "../../src/wire/display/hello.ts";
import { createBoxIdentities } from "../support/box-identities.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { type FakeDisplay, openFakeDisplay } from "../support/fake-display.ts";
import { type FakeScreen, openFakeScreen } from "../support/fake-screen.ts";
import { PortalClient, PortalSocket } from "../support/portal-client.ts";
import { createTableVisitStore, type TableVisitStore } from "../support/table-visit-store.ts";
import { createTableWebStore } from "../support/table-web-store.ts";

const VM = asId<VmId>(1);
/** Of a desktop, so that its screen's port is nobody else's. */
const ADDRESS = "127.51.2.1";
const GREETING = Buffer.from("RFB 003.008\n\x01");
/** What the gateway says for the screen's server: before the page has said anything, and in all. */
const [HELLO_BYTES, GREETED_BYTES] = [12, 18];
const ASK = Buffer.from([3, 1, 0, 0, 0, 0, 4, 0, 3, 0]);
const KEY = Buffer.from([4, 1, 0, 0, 0, 0, 0, 97]);
const SHARED = Buffer.from([1]);
const PROOF_MS = 5_000;

let display: FakeDisplay;
let screen: FakeScreen;
let near: BrokerDoor;
let far: BrokerDoor;
let visits: { -readonly [Name in keyof TableVisitStore]: TableVisitStore[Name] };
let client: PortalClient;
let isElsewhere = false;

beforeAll(async () => {
  display = openFakeDisplay(ADDRESS);
  screen = openFakeScreen(ADDRESS);
  const [one, two] = await createBoxIdentities("near", "far");
  if (one === undefined || two === undefined) throw new Error("no certificates");
  const listen = (identity: typeof one) => ({
    identity,
    listen: { address: "127.0.0.1", port: 0, tlsKey: identity.key, tlsCertificate: identity.certificate },
  });
  visits = createTableVisitStore(() => {
    const live = near.store.sessions.find((session) => session.isConnected && !session.isEnded);
    return live && { ...live, address: ADDRESS, port: display.port, elsewhere: live.elsewhere };
  });
  const web = createTableWebStore(() => 1);
  near = await openBrokerDoor({ ...listen(one), web, visits, limits: { screenProofMs: PROOF_MS } });
  far = await openBrokerDoor(listen(two));
  far.store.address = `127.0.0.1:${far.port}`;
  near.store.addDesktop(1, 1, { state: "running" });
  near.store.onRequest = (session) => {
    const elsewhere = isElsewhere ? { node: "far", address: far.store.address } : undefined;
    Object.assign(session, { state: "listening", address: ADDRESS, port: display.port, elsewhere });
    far.store.sessions.push(session);
    screen.key = session.slaveKey;
    near.wake(VM);
  };
  client = new PortalClient(near.port);
  await client.signIn("alice", "secret");
}, 30_000);
afterAll(async () => {
  await near?.close();
  await far?.close();
  display?.stop();
  screen?.stop();
}, 30_000);
beforeEach(() => {
  isElsewhere = false;
  display.isDirect = true;
  screen.manner = "fair";
  screen.heard.length = 0;
  display.receivedBytes = 0;
});

async function becomes(test: () => boolean): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 15_000, everyMs: 10 }), String(test)).toBe(true);
}

async function shown(): Promise<PortalSocket> {
  const socket = client.socket(1, await client.ticket(1));
  await becomes(() => socket.receivedBytes === HELLO_BYTES);
  return socket;
}

async function left(socket: PortalSocket): Promise<void> {
  socket.close();
  await becomes(() => screen.viewers.size === 0 && display.screens.size === 0);
}

const heard = () => Buffer.concat(screen.heard);

describe.each([
  ["of this box", false],
  ["of another box", true],
] as const)("a screen %s", (_name, elsewhere) => {
  beforeEach(() => {
    isElsewhere = elsewhere;
  });

  test("is come to with the session's key, and the door holds the seat", async () => {
    const socket = await shown();
    expect([screen.viewers.size, display.screens.size]).toEqual([1, 1]);
    socket.socket.send(GREETING);
    socket.socket.send(SHARED);
    const bytes = new Uint8Array(150_000).fill(9);
    socket.socket.send(bytes);
    await becomes(() => socket.receivedBytes === GREETED_BYTES + 1 + bytes.length);
    expect(heard().equals(Buffer.concat([SHARED, bytes]))).toBe(true);
    expect(display.receivedBytes).toBe(0);
    await left(socket);
    await becomes(() => near.store.sessions.at(-1)?.end !== undefined);
    expect(near.store.sessions.at(-1)?.end).toMatchObject({
      cause: "client-left",
      bytesFromClient: GREETING.length + 1 + bytes.length,
      bytesToClient: GREETED_BYTES + 1 + bytes.length,
    });
  });

  test("is gone when the desktop gives the seat to another", async () => {
    const socket = await shown();
    for (const seat of display.screens) seat.end();
    await becomes(() => socket.isClosed && screen.viewers.size === 0);
    expect(socket.messages.at(-1)).toEqual({ type: "ended", cause: "desktop-closed" });
  });

  test("is gone when its server is, and the seat with it", async () => {
    const socket = await shown();
    for (const viewer of screen.viewers) viewer.end();
    await becomes(() => socket.isClosed && display.screens.size === 0);
    expect(socket.messages.at(-1)).toEqual({ type: "ended", cause: "desktop-closed" });
  });

  test("has a visitor who may only look touch nothing", async () => {
    const owner = await shown();
    const ticket = visits.ask({ vmId: VM, mayControl: false, needsConsent: false });
    const visitor = new PortalSocket(`wss://127.0.0.1:${near.port}/visit/ws?ticket=${ticket}`, {
      Origin: client.origin,
    });
    await becomes(() => visitor.receivedBytes === HELLO_BYTES);
    expect([screen.viewers.size, display.screens.size]).toEqual([2, 2]);
    visitor.socket.send(Buffer.concat([GREETING, SHARED, ASK, KEY, KEY, ASK]));
    await becomes(() => visitor.receivedBytes === GREETED_BYTES + 1 + 2 * ASK.length);
    expect(heard().equals(Buffer.concat([SHARED, ASK, ASK]))).toBe(true);
    visitor.close();
    await becomes(() => screen.viewers.size === 1 && display.screens.size === 1);
    expect(owner.isClosed).toBe(false);
    await left(owner);
  });

  test("is gone for visitors at once, though nobody knows yet why", async () => {
    const owner = await shown();
    const ticket = visits.ask({ vmId: VM, mayControl: true, needsConsent: false });
    const visitor = new PortalSocket(`wss://127.0.0.1:${near.port}/visit/ws?ticket=${ticket}`, {
      Origin: client.origin,
    });
    await becomes(() => visitor.receivedBytes === HELLO_BYTES);
    const answered = Promise.withResolvers<undefined>();
    const { read } = visits;
    visits.read = () => answered.promise;
    for (const seat of display.screens) seat.end();
    await becomes(() => screen.viewers.size === 0);
    expect(visitor.isClosed).toBe(false);
    answered.resolve(undefined);
    visits.read = read;
    await becomes(() => visitor.isClosed && owner.isClosed);
  });

  test("is gone when the desktop says something at the seat", async () => {
    const socket = await shown();
    for (const seat of display.screens) seat.write("something");
    await becomes(() => socket.isClosed && screen.viewers.size === 0 && display.screens.size === 0);
  });

  test("is waited for where it can be come to and is slow", async () => {
    screen.manner = "late";
    const socket = await shown();
    expect([screen.viewers.size, display.screens.size]).toEqual([1, 1]);
    await left(socket);
  });

  test("is waited for no longer than the seat is there", async () => {
    screen.manner = "silent";
    const before = display.hellos.length;
    const socket = client.socket(1, await client.ticket(1));
    await becomes(() => display.screens.size === 1);
    for (const seat of display.screens) seat.end();
    const isClosed = await waitFor(() => socket.isClosed, { timeoutMs: PROOF_MS - 1_000, everyMs: 10 });
    expect(isClosed).toBe(true);
    const screens = display.hellos.slice(before).filter(({ channel }) => channel === "rfb");
    expect(screens.map(({ argument }) => argument)).toEqual([DISPLAY_DIRECT.argument]);
  });

  test.each(["silent", "mad"] as const)("that is %s is shown by the door", async (manner) => {
    screen.manner = manner;
    const socket = client.socket(1, await client.ticket(1));
    // The seat stays, or the desktop would take it for a leave.
    await becomes(() => display.hellos.at(-1)?.argument === "" && display.screens.size === 2);
    socket.socket.send(SHARED);
    await becomes(() => socket.receivedBytes === 1);
    await left(socket);
  });
});

test("a page that speaks another RFB is sent away", async () => {
  const socket = await shown();
  socket.socket.send("RFB 003.003\n");
  socket.socket.send(Buffer.from("RFB 003.003\n"));
  await becomes(() => socket.isClosed && screen.viewers.size === 0);
  expect(screen.heard).toEqual([]);
});

test("a desktop that takes another key at its screen is shown by the door", async () => {
  near.store.onRequest = (session) => {
    Object.assign(session, { state: "listening", address: ADDRESS, port: display.port });
    screen.key = "of the session before";
    near.wake(VM);
  };
  const socket = client.socket(1, await client.ticket(1));
  await becomes(() => display.hellos.at(-1)?.argument === "" && display.screens.size === 2);
  await left(socket);
});

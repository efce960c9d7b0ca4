/** A browser at one box, its desktop on another: every channel goes by the relay, and so do those who visit. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createBoxIdentities } from "../support/box-identities.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { type FakeDisplay, openFakeDisplay } from "../support/fake-display.ts";
import { PortalClient, PortalSocket } from "../support/portal-client.ts";
import { createTableVisitStore, type TableVisitStore } from "../support/table-visit-store.ts";
import { createTableWebStore } from "../support/table-web-store.ts";

const VM = asId<VmId>(1);
let display: FakeDisplay;
let near: BrokerDoor;
let far: BrokerDoor;
let visits: TableVisitStore;
let client: PortalClient;

beforeAll(async () => {
  display = openFakeDisplay();
  const [one, two] = await createBoxIdentities("near", "far");
  if (one === undefined || two === undefined) throw new Error("no certificates");
  const listen = (identity: typeof one) => ({
    identity,
    listen: { address: "127.0.0.1", port: 0, tlsKey: identity.key, tlsCertificate: identity.certificate },
  });
  visits = createTableVisitStore(() => {
    const live = near.store.sessions.find((session) => session.isConnected && !session.isEnded);
    return live && { ...live, address: "127.0.0.1", port: display.port, elsewhere: live.elsewhere };
  });
  near = await openBrokerDoor({ ...listen(one), web: createTableWebStore(() => 1), visits });
  far = await openBrokerDoor(listen(two));
  far.store.address = `127.0.0.1:${far.port}`;
  near.store.addDesktop(1, 1, { state: "running" });
  near.store.onRequest = (session) => {
    const elsewhere = { node: "far", address: far.store.address };
    Object.assign(session, { state: "listening", address: "127.0.0.1", port: display.port, elsewhere });
    // Both boxes see one database.
    far.store.sessions.push(session);
    near.wake(VM);
  };
  client = new PortalClient(near.port);
  await client.signIn("alice", "secret");
}, 30_000);
afterAll(async () => {
  await near?.close();
  await far?.close();
  display?.stop();
}, 30_000);

async function becomes(test: () => boolean): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 15_000, everyMs: 10 }), String(test)).toBe(true);
}

test("the screen, its size and the clipboard pass, and the record is the near box's", async () => {
  const socket = client.socket(1, await client.ticket(1));
  await becomes(() => socket.has("ready") && display.screens.size === 1);
  const bytes = new Uint8Array(200_000).fill(7);
  socket.socket.send(bytes);
  await becomes(() => socket.receivedBytes === bytes.length);
  socket.socket.send(JSON.stringify({ type: "resize", width: 900, height: 700 }));
  await becomes(() => display.orders.length > 0);
  display.say('{"type":"clipboard","text":"inside"}\n');
  await becomes(() => socket.has("clipboard"));
  const ticket = visits.ask({ vmId: VM, mayControl: true, needsConsent: false });
  const visitor = new PortalSocket(`wss://127.0.0.1:${near.port}/visit/ws?ticket=${ticket}`, {
    Origin: client.origin,
  });
  await becomes(() => visitor.has("ready") && display.screens.size === 2);
  visitor.close();
  await becomes(() => display.screens.size === 1);
  socket.close();
  await becomes(() => near.store.sessions.at(-1)?.end !== undefined);
  expect(near.store.sessions.at(-1)?.end).toMatchObject({
    cause: "client-left",
    bytesFromClient: bytes.length,
  });
  expect(display.hellos.map(({ channel }) => channel)).toEqual(["control", "rfb", "rfb"]);
});

test("a box that doesn't answer is told as such, and the session ends", async () => {
  far.drain();
  await far.ended;
  const socket = client.socket(1, await client.ticket(1));
  await becomes(() => socket.isClosed);
  expect(socket.messages.at(-1)?.type).toBe("refused");
  await becomes(() => near.store.sessions.at(-1)?.end?.cause === "connect-failed");
});

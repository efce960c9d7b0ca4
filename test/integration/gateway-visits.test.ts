/** Visits through the gateway: what of a visitor's bytes reaches the desktop, and who is let in at all. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { type BrokerDoor, openBrokerDoor, request } from "../support/broker-door.ts";
import { type FakeDisplay, openFakeDisplay } from "../support/fake-display.ts";
import { PortalClient, PortalSocket } from "../support/portal-client.ts";
import { createTableVisitStore, type TableVisitStore } from "../support/table-visit-store.ts";
import { createTableWebStore } from "../support/table-web-store.ts";

const VM = asId<VmId>(1);
const GREETING = Buffer.concat([Buffer.from("RFB 003.008\n"), Buffer.from([1, 1])]);
const ASK = Buffer.from([3, 1, 0, 0, 0, 0, 4, 0, 3, 0]);
const KEY = Buffer.from([4, 1, 0, 0, 0, 0, 0, 97]);

let door: BrokerDoor;
let display: FakeDisplay;
let visits: TableVisitStore;
let alice: PortalClient;
let owner: PortalSocket;

beforeAll(async () => {
  display = openFakeDisplay();
  const screenOf = () => {
    const live = door.store.sessions.find((one) => one.isConnected && !one.isEnded && !one.isSuperseded);
    return live && { ...live, address: "127.0.0.1", port: display.port, elsewhere: undefined };
  };
  visits = createTableVisitStore(screenOf);
  door = await openBrokerDoor({ web: createTableWebStore(() => 1), visits });
  door.store.addDesktop(1, 1);
  door.store.onRequest = (session) => {
    Object.assign(session, { state: "listening", address: "127.0.0.1", port: display.port });
    door.wake(VM);
  };
  alice = new PortalClient(door.port);
  await alice.signIn("alice", "secret");
}, 30_000);
afterAll(async () => {
  await door?.close();
  display?.stop();
}, 30_000);
beforeEach(async () => {
  // The one before is gone with all who watched it.
  owner?.close();
  await becomes(() => display.screens.size === 0);
  owner = alice.socket(1, await alice.ticket(1));
  await becomes(() => owner.has("ready") && display.screens.size === 1);
});

async function becomes(test: () => boolean): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 15_000, everyMs: 10 }), String(test)).toBe(true);
}

function come(ticket: string, headers: Readonly<Record<string, string>> = {}): PortalSocket {
  const address = `wss://127.0.0.1:${door.port}/visit/ws?ticket=${ticket}`;
  return new PortalSocket(address, { Origin: alice.origin, ...headers });
}

async function watch(mayControl: boolean): Promise<PortalSocket> {
  const visitor = come(visits.ask({ vmId: VM, mayControl, needsConsent: false }));
  await becomes(() => visitor.has("ready") && display.screens.size === 2);
  return visitor;
}

/** What comes first on a connection that sends just that. */
async function answerTo(head: string): Promise<string> {
  const first = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port: door.port, tls: { rejectUnauthorized: false } },
    socket: {
      handshake: (one) => void one.write(head),
      data: (_one, chunk) => first.resolve(chunk.toString("latin1")),
      close: () => first.resolve("closed"),
    },
  });
  return await first.promise.finally(() => socket.end());
}

/** What the fake screen sends back is what reached it. */
async function reaches(visitor: PortalSocket, bytes: number): Promise<void> {
  await becomes(() => visitor.receivedBytes === bytes);
  await waitFor(() => visitor.receivedBytes > bytes, { timeoutMs: 200 });
  expect(visitor.receivedBytes).toBe(bytes);
}

describe("a visitor", () => {
  test("who may only look has keys left out, whatever the page sends", async () => {
    const visitor = await watch(false);
    expect(visitor.messages.find(({ type }) => type === "ready")).toHaveProperty("mayControl", false);
    visitor.socket.send(Buffer.concat([GREETING, ASK, KEY, KEY, ASK]));
    await reaches(visitor, GREETING.length + 2 * ASK.length);
    visitor.close();
  });

  test("who may control has them passed on", async () => {
    const visitor = await watch(true);
    visitor.socket.send(Buffer.concat([GREETING, ASK, KEY, ASK]));
    await reaches(visitor, GREETING.length + 2 * ASK.length + KEY.length);
    visitor.close();
  });

  test("who may only look and says what nobody knows is cut off", async () => {
    const visitor = await watch(false);
    visitor.socket.send(Buffer.concat([GREETING, Buffer.from([99, 1, 2, 3])]));
    await becomes(() => visitor.isClosed);
    expect(owner.isClosed).toBe(false);
  });

  test("gives no orders to the desktop, and invites nobody", async () => {
    const visitor = await watch(true);
    display.orders.length = 0;
    const before = visits.visits.length;
    visitor.socket.send(JSON.stringify({ type: "resize", width: 800, height: 600 }));
    visitor.socket.send(JSON.stringify({ type: "invite", mayControl: true }));
    visitor.socket.send(GREETING);
    await reaches(visitor, GREETING.length);
    expect([display.orders, visits.visits.length]).toEqual([[], before]);
    visitor.close();
  });

  test("sees nothing before the owner said yes", async () => {
    const visitor = come(visits.ask({ vmId: VM, mayControl: true, needsConsent: true }));
    await becomes(() => visitor.has("progress"));
    visitor.socket.send(GREETING);
    await becomes(() => owner.has("visits"));
    expect([visitor.has("ready"), display.screens.size]).toEqual([false, 1]);
    owner.socket.send(JSON.stringify({ type: "admit-visit", id: visits.visits.at(-1)?.id }));
    await becomes(() => visitor.has("ready") && display.screens.size === 2);
    visitor.close();
  });

  test("goes when their right does, and is told so", async () => {
    const visitor = await watch(true);
    const visit = visits.visits.at(-1);
    if (visit !== undefined) visit.endCause = "right-lost";
    await becomes(() => visitor.isClosed && display.screens.size === 1);
    expect(visitor.messages.at(-1)).toEqual({ type: "ended", cause: "right-lost" });
    expect(owner.isClosed).toBe(false);
  });

  test("goes when the owner goes", async () => {
    const visitor = await watch(false);
    owner.close();
    await becomes(() => visitor.isClosed);
    await becomes(() => visits.visits.at(-1)?.endCause !== undefined);
    expect(visits.visits.at(-1)?.endCause).toBe("session-over");
  });
});

describe("nobody is let in", () => {
  test("with a ticket that is none, or twice with one", async () => {
    const ticket = visits.ask({ vmId: VM, mayControl: false, needsConsent: false });
    const first = come(ticket);
    await becomes(() => first.has("ready"));
    for (const bad of [ticket, "made-up", ""]) {
      const visitor = come(bad);
      await becomes(() => visitor.isClosed);
      expect(visitor.isOpen).toBe(false);
    }
    first.close();
  });

  test("from another site's page", async () => {
    const ticket = visits.ask({ vmId: VM, mayControl: false, needsConsent: false });
    const visitor = come(ticket, { Origin: "https://elsewhere.test" });
    await becomes(() => visitor.isClosed);
    expect(visits.visits.at(-1)?.hasBegun).toBe(false);
  });

  test("by a request that isn't a WebSocket's, which leaves the ticket good", async () => {
    const ticket = visits.ask({ vmId: VM, mayControl: false, needsConsent: false });
    const answer = await alice.ask(`/visit/ws?ticket=${ticket}`, { headers: { Origin: alice.origin } });
    expect([answer.status, visits.visits.at(-1)?.hasBegun]).toEqual([426, false]);
    const visitor = come(ticket);
    await becomes(() => visitor.has("ready"));
    visitor.close();
  });

  test("by one that only says it is, whose ticket is still good", async () => {
    const ticket = visits.ask({ vmId: VM, mayControl: false, needsConsent: false });
    const head = [`GET /visit/ws?ticket=${ticket} HTTP/1.1`, `Host: 127.0.0.1:${door.port}`];
    const lines = [...head, `Origin: ${alice.origin}`, "Connection: Upgrade", "Upgrade: websocket"];
    expect(await answerTo(request(lines))).toStartWith("HTTP/1.1 426 ");
    expect(visits.visits.at(-1)).toMatchObject({ hasBegun: false });
    const visitor = come(ticket);
    await becomes(() => visitor.has("ready"));
    visitor.close();
  });

  test("where an invitation is brought by nobody who is signed in", async () => {
    owner.socket.send(JSON.stringify({ type: "invite", mayControl: true }));
    await becomes(() => owner.has("invitation"));
    const ticket = visits.visits.at(-1)?.ticket ?? "";
    const stranger = come(ticket);
    await becomes(() => stranger.isClosed);
    expect(stranger.isOpen).toBe(false);
    const bob = new PortalClient(door.port);
    await bob.signIn("bob", "secret");
    const guest = come(ticket, { Cookie: bob.cookie });
    await becomes(() => guest.has("ready"));
    // Their visit ends with their sign-in.
    await bob.ask("/sign-out", { form: { csrf: "csrf-of-session2-of-3" } });
    await becomes(() => guest.isClosed);
  });
});

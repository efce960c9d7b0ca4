/** The browser's side of the QVD port, with PostgreSQL as the broker's own role, and a desktop that shows nothing. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createWebStore, randomWebToken } from "../../src/broker/gateway/web-store.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";
import { type FakeDisplay, openFakeDisplay } from "../support/fake-display.ts";
import { PortalClient, type PortalSocket } from "../support/portal-client.ts";
import { QvdClient } from "../support/qvd-client.ts";

let database: TestDatabase;
let seed: Seed;
let door: BrokerDoor;
let display: FakeDisplay;
const origins: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  seed = await seedSite(database.open("qvd_owner").orm);
  display = openFakeDisplay();
  const users = { alice: seed.alice.userId, bob: seed.bob.userId };
  door = await openBrokerDoor({
    web: createWebStore(database.open("qvd_broker").orm, randomWebToken, "default-node"),
    auth: {
      ask: async () => ({ id: 0, outcome: "denied" }),
      verify: async ({ login, proof, origin }) => {
        origins.push(origin);
        if (proof.kind === "second-factor")
          return proof.ticket === "good" && proof.code === "123456"
            ? accept("alice")
            : { id: 0, outcome: "denied" };
        if (proof.kind !== "password" || proof.password !== "secret") return { id: 0, outcome: "denied" };
        if (login === "busy")
          return { id: 0, outcome: "busy", text: "Too many people sign in.", retryMs: 12_300 };
        if (login === "two")
          return { id: 0, outcome: "second-factor-needed", isEnrolled: true, ticket: "good" };
        return accept(login);
      },
    },
  });
  function accept(login: string) {
    const userId = users[login === "bob" ? "bob" : "alice"];
    return {
      id: 0,
      outcome: "accepted" as const,
      userId,
      login,
      tenantId: 1,
      tenantName: "default",
      by: "local",
      parameters: { "qvd.vm.user.home": "/home/of-alice" },
    };
  }
  door.store.addDesktop(seed.alice.vmId, seed.alice.userId, { name: "alice-desktop" });
  door.store.addDesktop(seed.bob.vmId, seed.bob.userId, { name: "bob-desktop" });
  door.store.onRequest = (session) => {
    door.store.append(session.vmId, "session-listening");
    Object.assign(session, { state: "listening", address: "127.0.0.1", port: display.port });
  };
}, 60_000);

afterAll(async () => {
  await door?.close();
  display?.stop();
  await database?.drop();
}, 60_000);

async function signedIn(login = "alice"): Promise<PortalClient> {
  const client = new PortalClient(door.port);
  expect((await client.signIn(login, "secret")).status).toBe(303);
  return client;
}

async function becomes(test: () => boolean): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 15_000, everyMs: 10 }), String(test)).toBe(true);
}

async function isRefused(socket: PortalSocket): Promise<boolean> {
  await becomes(() => socket.isClosed);
  return !socket.isOpen;
}

describe("the port of clients and browsers", () => {
  test("answers both on one port, by their first line", async () => {
    const client = await QvdClient.open(door.port);
    client.send("GET /qvd/ping HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.answer(5_000)).status).toBe(200);
    client.terminate();
    expect((await new PortalClient(door.port).ask("/sign-in")).status).toBe(200);
  });

  test.each(["\n\n", "\r\n\r\n", "\nHost: x\n\n"])(
    "leaves clients that ask for another path, ending in %j, their dialect",
    async (end) => {
      const client = await QvdClient.open(door.port);
      client.send(`GET /foo HTTP/1.1${end}`);
      expect((await client.answer(5_000)).status).toBe(404);
      client.send("GET /qvd/ping HTTP/1.1\n\n");
      expect((await client.answer(5_000)).body).toBe("I am alive!\r\n");
      client.terminate();
    },
  );

  test("reads a browser's head however it is cut", async () => {
    const client = await QvdClient.open(door.port);
    for (const byte of "GET /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") client.send(byte);
    expect((await client.answer(5_000)).status).toBe(200);
    client.terminate();
  });

  test.each(["evil@x", "a b", "[::1", "x:99999", "%"])("refuses the host %j in few words", async (host) => {
    const client = await QvdClient.open(door.port);
    client.send(`GET /sign-in HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const { status, body } = await client.answer(5_000);
    expect([status, body]).toEqual([400, ""]);
    client.terminate();
  });

  test("tells auth the address of the connection, whatever headers say", async () => {
    origins.length = 0;
    const client = new PortalClient(door.port);
    const page = await client.ask("/sign-in");
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
    const forged = { "X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9", Forwarded: "for=9.9.9.9" };
    await client.ask("/sign-in", { form: { csrf, login: "alice", password: "no" }, headers: forged });
    expect(origins).toEqual(["127.0.0.1"]);
  });
});

describe("signing in by browser", () => {
  test("refuses a wrong password in words, and keeps the login", async () => {
    const answer = await new PortalClient(door.port).signIn("alice", "wrong");
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("don&#39;t belong together");
    expect(answer.text).toContain('value="alice"');
  });

  test("passes on that too many sign in", async () => {
    const answer = await new PortalClient(door.port).signIn("busy", "secret");
    expect([answer.status, answer.text.includes("Too many people")]).toEqual([503, true]);
    expect(answer.headers.get("retry-after")).toBe("13");
  });

  test("asks for the code of whoever has a second factor, in a step of its own", async () => {
    const client = new PortalClient(door.port);
    const step = await client.signIn("two", "secret");
    expect(step.text).toContain('name="code"');
    const csrf = /name="csrf" value="([^"]*)"/.exec(step.text)?.[1] ?? "";
    const wrong = await client.ask("/sign-in", { form: { csrf, ticket: "good", code: "000000" } });
    expect(wrong.status).toBe(401);
    expect((await client.ask("/sign-in", { form: { csrf, ticket: "good", code: "123456" } })).status).toBe(
      303,
    );
    expect((await client.ask("/")).text).toContain("alice-desktop");
  });

  test("refuses a form that another site's page sent", async () => {
    const client = new PortalClient(door.port);
    const page = await client.ask("/sign-in");
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
    const form = { csrf, login: "alice", password: "secret" };
    const elsewhere = { Origin: "https://evil.example" };
    expect((await client.ask("/sign-in", { form, headers: elsewhere })).status).toBe(403);
    expect((await client.ask("/sign-in", { form: { ...form, csrf: "guessed" } })).status).toBe(403);
  });

  test("gives a cookie that scripts and other hosts can't have", async () => {
    const client = new PortalClient(door.port);
    const answer = await client.signIn("alice", "secret");
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("__Host-qvd-user="));
    for (const part of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"]) expect(cookie).toContain(part);
    const [row] = await database
      .open("qvd_owner")
      .orm.execute<{ plain: number }>(
        sql`select count(*)::int as plain from user_web_sessions where encode(token_hash, 'escape') = ${client.cookies.get("__Host-qvd-user") ?? ""}`,
      );
    expect(row?.plain).toBe(0);
  });

  test("leads nowhere but to pages of its own", async () => {
    for (const next of ["//evil.example", "/\\evil.example", "https://evil.example"]) {
      const client = new PortalClient(door.port);
      const page = await client.ask(`/sign-in?next=${encodeURIComponent(next)}`);
      const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
      const form = { csrf, login: "alice", password: "secret" };
      const answer = await client.ask(`/sign-in?next=${encodeURIComponent(next)}`, { form });
      expect(answer.location).toBe("/");
    }
  });

  test("is over after signing out, and when the user is blocked", async () => {
    const client = await signedIn();
    const cookie = client.cookie;
    const page = (await client.ask("/")).text;
    const csrf = /name="csrf" value="([^"]*)"/.exec(page)?.[1] ?? "";
    expect((await client.ask("/sign-out", { form: { csrf } })).status).toBe(303);
    expect((await client.ask("/", { headers: { Cookie: cookie } })).location).toBe("/sign-in");
    const bob = await signedIn("bob");
    const owner = database.open("qvd_owner").orm;
    await owner.execute(sql`update users set is_blocked = true where id = ${seed.bob.userId}`);
    expect((await bob.ask("/")).location).toBe("/sign-in");
    await owner.execute(sql`update users set is_blocked = false where id = ${seed.bob.userId}`);
  });

  test("that somebody ended is told from one that ran out, for whoever has its desktops open", async () => {
    const web = createWebStore(database.open("qvd_broker").orm, randomWebToken, "default-node");
    const { token, expiresAt } = await web.begin(seed.alice.userId, "192.0.2.1");
    const bob = await web.begin(seed.bob.userId, "192.0.2.2");
    const both = new Map([
      [token, expiresAt],
      [bob.token, bob.expiresAt],
    ]);
    const owner = database.open("qvd_owner").orm;
    expect(await web.listEnded(both)).toEqual([]);
    await owner.execute(sql`update users set is_blocked = true where id = ${seed.bob.userId}`);
    expect(await web.listEnded(both)).toEqual([bob.token]);
    // However old it is: what he has open outlives a session that runs out.
    expect(await web.listEnded(new Map([[bob.token, new Date(0)]]))).toEqual([bob.token]);
    await owner.execute(sql`update users set is_blocked = false where id = ${seed.bob.userId}`);
    await web.end(token);
    expect(await web.listEnded(both)).toEqual([token]);
    expect(await web.listEnded(new Map([[token, new Date(0)]]))).toEqual([]);
    expect(await web.listEnded(new Map())).toEqual([]);
  });

  test("is over after its time", async () => {
    const client = await signedIn();
    const owner = database.open("qvd_owner").orm;
    await owner.execute(sql`update user_web_sessions set expires_at = qvd_now() - interval '1 second'`);
    expect((await client.ask("/desktop/1")).location).toStartWith("/sign-in");
  });
});

describe("pages", () => {
  test("allow nothing inline and nothing of others, and are not kept", async () => {
    const client = await signedIn();
    for (const path of ["/", "/sign-in", `/desktop/${seed.alice.vmId}`, "/nowhere"]) {
      const { headers, text } = await client.ask(path);
      const policy = headers.get("Content-Security-Policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      expect(headers.get("Cache-Control")).toBe("no-store");
      expect(text).not.toMatch(/<script(?![^>]*src=)|\son[a-z]+=|style=|https?:\/\//);
    }
  });

  test("show people their own desktops and nobody else's", async () => {
    const client = await signedIn();
    const list = (await client.ask("/")).text;
    expect(list).toContain("alice-desktop");
    expect(list).not.toContain("bob-desktop");
    expect((await client.ask(`/desktop/${seed.bob.vmId}`)).status).toBe(404);
    expect((await client.ask("/desktop/999999")).status).toBe(404);
    expect((await client.ask("/desktop/1e3")).status).toBe(404);
  });
});

describe("files", () => {
  test("are refused to strangers, without the token, to others, and where nobody sits", async () => {
    const path = `/desktop/${seed.alice.vmId}/files`;
    const stranger = new PortalClient(door.port);
    expect((await stranger.ask(path)).location).toStartWith("/sign-in");
    expect((await stranger.ask(`${path}?name=a`, { form: {} })).status).toBe(401);
    const client = await signedIn();
    expect((await client.ask(path)).status).toBe(409);
    expect((await client.ask(`${path}?name=a`, { form: {} })).status).toBe(403);
    const bob = await signedIn("bob");
    expect((await bob.ask(path)).status).toBe(409);
    expect((await bob.ask(`${path}/x`)).status).toBe(409);
  });

  test("come with the token in a header, since a form would be read into memory", async () => {
    const client = await signedIn();
    const path = `/desktop/${seed.alice.vmId}/files?name=a`;
    const page = (await client.ask(`/desktop/${seed.alice.vmId}`)).text;
    const csrf = /data-csrf="([^"]+)"/.exec(page)?.[1] ?? "";
    expect((await client.ask(path, { form: { csrf } })).status).toBe(403);
    expect((await client.ask(path, { form: {}, headers: { "X-CSRF-Token": csrf } })).status).toBe(409);
  });

  test("alone may be large", async () => {
    const client = await signedIn();
    const form = { csrf: "x", login: "x".repeat(70_000), password: "" };
    expect((await client.ask("/sign-in", { form })).status).toBe(413);
  });
});

describe("tickets", () => {
  test("are refused to strangers, without the token, and for somebody else's desktop", async () => {
    const path = `/desktop/${seed.alice.vmId}/ticket`;
    const stranger = new PortalClient(door.port);
    expect((await stranger.ask(path, { method: "POST", headers: { Origin: stranger.origin } })).status).toBe(
      401,
    );
    const client = await signedIn();
    expect((await client.ask(path, { method: "POST", headers: { Origin: client.origin } })).status).toBe(403);
    const page = (await client.ask(`/desktop/${seed.alice.vmId}`)).text;
    const csrf = /data-csrf="([^"]+)"/.exec(page)?.[1] ?? "";
    const headers = { "X-CSRF-Token": csrf, Origin: "https://evil.example" };
    expect((await client.ask(path, { method: "POST", headers })).status).toBe(403);
    const own = { "X-CSRF-Token": csrf, Origin: client.origin };
    const foreign = await client.ask(`/desktop/${seed.bob.vmId}/ticket`, { method: "POST", headers: own });
    expect(foreign.status).toBe(403);
  });

  test("open the desktop they were issued for, once", async () => {
    const client = await signedIn();
    const ticket = await client.ticket(seed.alice.vmId);
    const socket = client.socket(seed.alice.vmId, ticket);
    await becomes(() => socket.has("ready"));
    // What the authenticator gave at the sign-in reaches the desktop.
    expect(door.store.sessions.at(-1)?.parameters).toEqual({ "qvd.vm.user.home": "/home/of-alice" });
    expect(await isRefused(client.socket(seed.alice.vmId, ticket))).toBe(true);
    socket.close();
  });

  test("are of no use to another person, at another desktop, to another site's page, or later", async () => {
    const client = await signedIn();
    const { vmId } = seed.alice;
    const bob = await signedIn("bob");
    expect(await isRefused(bob.socket(vmId, await client.ticket(vmId)))).toBe(true);
    expect(await isRefused(bob.socket(seed.bob.vmId, await client.ticket(vmId)))).toBe(true);
    const elsewhere = { Origin: "https://evil.example" };
    expect(await isRefused(client.socket(vmId, await client.ticket(vmId), elsewhere))).toBe(true);
    expect(await isRefused(client.socket(vmId, "guessed"))).toBe(true);
    const late = await client.ticket(vmId);
    const owner = database.open("qvd_owner").orm;
    await owner.execute(sql`update user_web_tickets set expires_at = qvd_now()`);
    expect(await isRefused(client.socket(vmId, late))).toBe(true);
    expect(await isRefused(new PortalClient(door.port).socket(vmId, await client.ticket(vmId)))).toBe(true);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { eq, sql } from "drizzle-orm";
import { createAuthClient } from "../../src/auth/client.ts";
import { hashPassword } from "../../src/auth/password.ts";
import { runAuth } from "../../src/auth/run-auth.ts";
import { tenants, users } from "../../src/db/schema/index.ts";
import { silentLog } from "../../src/lib/log.ts";
import type { AuthAnswer } from "../../src/wire/auth/messages.ts";
import { createAuthParts } from "../support/auth-parts.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, type Seed, seedSite } from "../support/db-seed.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-auth-`);
const path = `${folder}/socket`;
const RIGHT = { kind: "password", password: SEED_PASSWORD } as const;
const never = new AbortController().signal;
let database: TestDatabase;
let seed: Seed;
let stop: () => Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  seed = await seedSite(database.open("qvd_owner").orm, { hashPassword });
  stop = await startAuth();
}, 120_000);
afterAll(async () => {
  await stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});

async function startAuth(): Promise<() => Promise<void>> {
  const ending = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = runAuth({
    socketPaths: [path, `${folder}/second`],
    ...createAuthParts(database.open("qvd_auth").orm),
    queue: { atOnce: 2, mostWaiting: 50, firstTaskMs: 100 },
    log: silentLog(),
    signal: ending.signal,
    onReady: ready.resolve,
  });
  await ready.promise;
  return async () => {
    ending.abort();
    await ended;
  };
}

async function ask(
  login: string,
  password = SEED_PASSWORD,
  more: { kind?: "user" | "administrator"; origin?: string } = {},
): Promise<AuthAnswer> {
  const client = createAuthClient({ path, log: silentLog() });
  // An address for each test keeps the throttle out of the others' way.
  const origin = more.origin ?? crypto.randomUUID();
  const answer = await client.verify(
    { kind: more.kind ?? "user", login, proof: { kind: "password", password }, origin },
    never,
  );
  client.close();
  return answer;
}

describe("who is somebody", () => {
  for (const login of [
    "alice",
    "ALICE",
    " alice ",
    "alice@default",
    "alice#default",
    "alice@DEFAULT",
    "alice@ default ",
  ])
    test(`is accepted as ${JSON.stringify(login)}`, async () => {
      expect(await ask(login)).toMatchObject({
        outcome: "accepted",
        userId: seed.alice.userId,
        login: "alice",
        tenantName: "default",
        by: "local",
      });
    });

  test("an administrator is one only when asked for one", async () => {
    const kind = "administrator";
    expect(await ask("admin@default", SEED_PASSWORD, { kind })).toMatchObject({
      outcome: "accepted",
      administratorId: seed.administratorId,
    });
    expect((await ask("admin@default")).outcome).toBe("denied");
    expect((await ask("alice", SEED_PASSWORD, { kind })).outcome).toBe("denied");
  });
});

describe("who is nobody", () => {
  const cases: [login: string, password?: string][] = [
    ["alice", "wrong password"],
    ["alice", ""],
    ["alice", `${SEED_PASSWORD} `],
    ["nobody"],
    ["alice@acme"],
    ["alice@nosuch"],
    ["alice@*"],
    ["alice@-"],
    ["alice@default@x"],
    ["'; drop table users; --"],
    ["alice\u0000"],
    ["ali\u0000ce@default"],
    [""],
  ];
  for (const [login, password] of cases)
    test(`${JSON.stringify([login, password])} is denied`, async () =>
      expect(await ask(login, password)).toMatchObject({ outcome: "denied" }));

  test("a blocked user is denied, and so is everybody of a blocked tenant", async () => {
    const { orm } = database.open("qvd_owner");
    await orm.update(users).set({ isBlocked: true }).where(eq(users.id, seed.bob.userId));
    expect((await ask("bob")).outcome).toBe("denied");
    await orm.update(users).set({ isBlocked: false }).where(eq(users.id, seed.bob.userId));
    expect((await ask("bob")).outcome).toBe("accepted");
    await orm.update(tenants).set({ isBlocked: true }).where(eq(tenants.id, seed.tenantId));
    expect((await ask("bob")).outcome).toBe("denied");
    await orm.update(tenants).set({ isBlocked: false }).where(eq(tenants.id, seed.tenantId));
  });
});

describe("the socket", () => {
  test("is for its group alone", () => {
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test("ends whoever sends what is no question, and goes on with the others", async () => {
    for (const text of [
      "garbage\n",
      "{}\n",
      `${JSON.stringify({ id: 1, kind: "root" })}\n`,
      `${"x".repeat(40_000)}\n`,
    ]) {
      const closed = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        unix: path,
        socket: { data: () => {}, close: () => closed.resolve() },
      });
      socket.write(text);
      await closed.promise;
    }
    expect((await ask("alice")).outcome).toBe("accepted");
  });

  test("stays with its asker when somebody sends a name of any length", async () => {
    const client = createAuthClient({ path, log: silentLog() });
    const verify = (login: string, origin: string) =>
      client.verify({ kind: "user", login, proof: RIGHT, origin }, never);
    const others = ["a", "b", "c"].map((origin) => verify("alice", origin));
    for (const letter of ["x", "\u0001"])
      expect((await verify(letter.repeat(3_000), "z")).outcome).toBe("denied");
    for (const other of others) expect((await other).outcome).toBe("accepted");
    client.close();
  });

  test("answers many at a time, and turns away what is over its bound", async () => {
    const client = createAuthClient({ path, log: silentLog(), timeoutMs: 100_000 });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        client.verify({ kind: "user", login: `name${index}`, proof: RIGHT, origin: `${index}` }, never),
      ),
    );
    const count = (outcome: string) => answers.filter((answer) => answer.outcome === outcome).length;
    expect(count("denied") + count("busy")).toBe(60);
    expect(count("denied")).toBeGreaterThanOrEqual(50);
    expect(count("busy")).toBeGreaterThan(0);
    client.close();
  }, 120_000);

  test("looks at few guesses of a burst, and lets a client sign in twice at once", async () => {
    const origin = "192.0.2.8";
    // By one client, so that they come in one moment.
    const client = createAuthClient({ path, log: silentLog() });
    const guess = {
      kind: "user",
      login: "bob",
      proof: { kind: "password", password: "guess" },
      origin,
    } as const;
    const burst = await Promise.all(Array.from({ length: 27 }, () => client.verify(guess, never)));
    client.close();
    const count = (wanted: string) => burst.filter(({ outcome }) => outcome === wanted).length;
    // Six and three that wait; on a busy machine some come when one of those has had its turn.
    expect(count("denied")).toBeWithin(9, 15);
    expect(count("busy")).toBe(27 - count("denied"));
    const elsewhere = { origin: "192.0.2.9" };
    const pair = await Promise.all([1, 2].map(() => ask("bob", SEED_PASSWORD, elsewhere)));
    expect(pair.map(({ outcome }) => outcome)).toEqual(["accepted", "accepted"]);
  }, 60_000);

  test("slows down guessing from one place, and no other", async () => {
    const origin = "192.0.2.7";
    for (let tries = 0; tries < 7; tries++) await ask("bob", "guess", { origin });
    const startMs = performance.now();
    expect((await ask("bob", SEED_PASSWORD, { origin })).outcome).toBe("accepted");
    expect(performance.now() - startMs).toBeGreaterThan(500);
    expect((await ask("bob", SEED_PASSWORD)).outcome).toBe("accepted");
  }, 20_000);
});

test("a client says so while auth is away, and finds it again", async () => {
  const client = createAuthClient({ path, log: silentLog() });
  const verify = () => client.verify({ kind: "user", login: "alice", proof: RIGHT, origin: "x" }, never);
  expect((await verify()).outcome).toBe("accepted");
  await stop();
  expect(await verify()).toMatchObject({ outcome: "unavailable" });
  stop = await startAuth();
  expect((await verify()).outcome).toBe("accepted");
  client.close();
});

test("a question nobody answers in time is unavailable", async () => {
  const deaf = Bun.listen({ unix: `${folder}/deaf`, socket: { data: () => {} } });
  const client = createAuthClient({ path: `${folder}/deaf`, log: silentLog(), timeoutMs: 50 });
  const answer = await client.verify({ kind: "user", login: "a", proof: RIGHT, origin: "c" }, never);
  expect(answer.outcome).toBe("unavailable");
  client.close();
  deaf.stop(true);
});

test("accounts that can't be read are unavailable, not denied", async () => {
  const { orm } = database.open("qvd_owner");
  await orm.execute(sql`alter table users rename to users_away`);
  expect(await ask("alice")).toMatchObject({ outcome: "unavailable" });
  await orm.execute(sql`alter table users_away rename to users`);
  expect((await ask("alice")).outcome).toBe("accepted");
});

/** Two boxes of a site, each with an auth of its own over one database: whoever guesses at one has guessed at both. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { hashPassword } from "../../src/auth/password.ts";
import { createMarkStore } from "../../src/cli/auth/mark-store.ts";
import { sweepMarks } from "../../src/service/sign-in-throttle/forget-marks.ts";
import { type AuthProcess, startAuthProcess } from "../support/auth-process.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, seedSite } from "../support/db-seed.ts";

const never = new AbortController().signal;
/** The sixth failure makes the next try of the pair wait half a second, and each further one twice as long. */
const FREE = 5;
/** A timer may be a little early. */
const WAIT_MS = 490;
let database: TestDatabase;
let owner: ReturnType<TestDatabase["open"]>["sql"];
let one: AuthProcess;
let other: AuthProcess;

beforeAll(async () => {
  database = await createTestDatabase();
  const opened = database.open("qvd_owner");
  owner = opened.sql;
  await seedSite(opened.orm, { hashPassword });
  [one, other] = await Promise.all([startAuthProcess(database), startAuthProcess(database)]);
}, 120_000);
afterAll(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await database.drop();
});

async function ask(at: AuthProcess, password: string, origin: string, login = "alice") {
  const proof = { kind: "password", password } as const;
  return (await at.auth.verify({ kind: "user", login, proof, origin }, never)).outcome;
}

async function guess(at: AuthProcess, times: number, origin: string): Promise<void> {
  for (let tries = 0; tries < times; tries++) expect(await ask(at, "guess", origin)).toBe("denied");
}

/** Who waits, as the page of administrators lists it. */
async function listSlowed(at: AuthProcess, origin: string) {
  const reply = await at.admin.ask({ kind: "list-slowed" }, never);
  if (reply.outcome !== "slowed") throw new Error(reply.outcome);
  return reply.slowed.filter((slowed) => slowed.origin === origin);
}

async function readFailures(origin: string): Promise<number> {
  const [row] = await owner<{ failures: number }[]>`
    select failures from sign_in_marks where lane = 'pair' and key like ${`%${origin}%`}`;
  return row?.failures ?? 0;
}

test("failures at one box slow down the same guesser at the other", async () => {
  const origin = randomUUID();
  await guess(one, FREE, origin);
  const startMs = performance.now();
  await guess(other, 1, origin);
  expect(await readFailures(origin)).toBe(6);
  const [slowed] = await listSlowed(one, origin);
  expect(slowed).toMatchObject({ lane: "pair", login: "alice", failures: 6 });
  expect(await ask(one, SEED_PASSWORD, origin)).toBe("accepted");
  // From before the last failure, so that a slow machine can only make it longer.
  expect(performance.now() - startMs).toBeGreaterThan(WAIT_MS);
  expect(await readFailures(origin)).toBe(0);
  expect(await listSlowed(other, origin)).toEqual([]);
}, 30_000);

test("an auth that begins anew knows what was guessed before", async () => {
  const origin = randomUUID();
  await guess(one, FREE, origin);
  const startMs = performance.now();
  await guess(one, 1, origin);
  const fresh = await startAuthProcess(database);
  expect(await listSlowed(fresh, origin)).toMatchObject([{ lane: "pair", failures: 6 }]);
  expect(await ask(fresh, "guess", origin)).toBe("denied");
  expect(performance.now() - startMs).toBeGreaterThan(WAIT_MS);
  await fresh.stop();
}, 30_000);

test("an administrator's word holds at every box", async () => {
  const origin = randomUUID();
  await guess(one, FREE + 1, origin);
  const [slowed] = await listSlowed(other, origin);
  const forget = { kind: "forget-slowed", slowedId: slowed?.id ?? "" } as const;
  expect((await other.admin.ask(forget, never)).outcome).toBe("forgotten");
  expect((await one.admin.ask(forget, never)).outcome).toBe("refused");
  expect(await listSlowed(one, origin)).toEqual([]);
}, 30_000);

test("a sign-in as usual writes nothing but, once, that its pair is known", async () => {
  const origin = randomUUID();
  const rows = async () =>
    await owner`select lane, failures, last_at from sign_in_marks where key like ${`%${origin}%`}`;
  expect(await ask(one, SEED_PASSWORD, origin)).toBe("accepted");
  const after = await rows();
  expect(after).toMatchObject([{ lane: "proved", failures: 0 }]);
  for (const at of [one, other, one]) expect(await ask(at, SEED_PASSWORD, origin)).toBe("accepted");
  expect(await rows()).toEqual(after);
}, 30_000);

test("without its marks a box goes by its memory, and tells the site afterwards", async () => {
  const origin = randomUUID();
  await owner`alter table sign_in_marks rename to sign_in_marks_away`;
  try {
    await guess(one, FREE + 1, origin);
    expect(await listSlowed(one, origin)).toMatchObject([{ failures: 6 }]);
    expect(await ask(one, SEED_PASSWORD, randomUUID())).toBe("accepted");
  } finally {
    await owner`alter table sign_in_marks_away rename to sign_in_marks`;
  }
  await guess(one, 1, origin);
  expect(await readFailures(origin)).toBe(7);
  expect(await listSlowed(other, origin)).toMatchObject([{ failures: 7 }]);
}, 30_000);

test("marks of a database that is mute are waited for no longer than a moment", async () => {
  const { orm } = database.open("qvd_auth");
  const marks = createMarkStore(orm, 300);
  await owner.begin(async (locking) => {
    await locking`lock table sign_in_marks in access exclusive mode`;
    await expect(marks.read(["x"])).rejects.toThrow("doesn't answer");
    await expect(marks.list()).rejects.toThrow("doesn't answer");
  });
  expect(await createMarkStore(orm).read(["x"])).toEqual([]);
}, 30_000);

test("who tries too often is told so in whatever they prove themselves for", async () => {
  const proof = { kind: "password", password: "guess" } as const;
  const request = { kind: "renew-recovery-codes", of: "user", login: "nobody", proof } as const;
  const origin = randomUUID();
  const replies = await Promise.all(
    Array.from({ length: 12 }, () => one.auth.ask({ ...request, origin }, never)),
  );
  const busy = replies.filter(({ outcome }) => outcome !== "denied");
  expect(busy.length).toBeGreaterThan(0);
  for (const reply of busy) expect(reply).toMatchObject({ outcome: "busy", retryMs: 60_000 });
}, 30_000);

test("what has expired slows down nobody, and is swept", async () => {
  const origin = randomUUID();
  await guess(one, FREE + 1, origin);
  await owner`update sign_in_marks set expires_at = qvd_now() - interval '1 s' where key like ${`%${origin}%`}`;
  expect(await listSlowed(other, origin)).toEqual([]);
  const context = { db: database.open("qvd_auth").orm, actor: { kind: "system", what: "auth" } } as const;
  expect(await sweepMarks(context)).toBeGreaterThan(0);
  expect(await readFailures(origin)).toBe(0);
}, 30_000);

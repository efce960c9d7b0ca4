/** Tenants, users, administrators, OSFs and sign-ins. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { and, eq, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import {
  administratorCredentials,
  administratorSessions,
  administrators,
  auditLog,
  osfs,
  tenants,
  userCredentials,
  users,
  vms,
} from "../../src/db/schema/index.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { createAdministrator } from "../../src/service/administrator/create.ts";
import { setAdministratorPassword } from "../../src/service/administrator/set-password.ts";
import type { Context } from "../../src/service/context.ts";
import { fieldErrors } from "../../src/service/input.ts";
import { changeOsf } from "../../src/service/osf/change.ts";
import { createOsf } from "../../src/service/osf/create.ts";
import { beginSignIn } from "../../src/service/sign-in/begin.ts";
import { endSignIn } from "../../src/service/sign-in/end.ts";
import { findSignIn } from "../../src/service/sign-in/find.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { createUser } from "../../src/service/user/create.ts";
import { deleteUser } from "../../src/service/user/delete.ts";
import { setUserPassword } from "../../src/service/user/set-password.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, type Seed, seedHash, seedSite } from "../support/db-seed.ts";

const DEPS = { hashPassword: seedHash, randomToken: () => crypto.randomUUID() + crypto.randomUUID() };
const password = SEED_PASSWORD;

let database: TestDatabase;
let owner: Db;
let db: Db;
let admin: Context;
let system: Context;
let seed: Seed;
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  db = database.open("qvd_admin").orm;
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
  admin = { db, actor: seed.tenantAdministrator };
  system = { db, actor: { kind: "system", what: "admin" } };
});

const caught = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error) => error,
  );
const codeOf = async (attempt: Promise<unknown>) => {
  const error = await caught(attempt);
  return isAppError(error) ? error.code : error;
};

describe("users", () => {
  test("are made with a hash, never with their password", async () => {
    const { userId } = await createUser(admin, DEPS, {
      tenantId: seed.tenantId,
      login: "  Carol ",
      fullName: "Carol C.",
      password,
    });
    const [user] = await owner.select().from(users).where(eq(users.id, userId));
    expect(user).toMatchObject({ login: "carol", fullName: "Carol C.", isBlocked: false });
    const [credentials] = await owner
      .select()
      .from(userCredentials)
      .where(eq(userCredentials.userId, userId));
    expect(credentials?.passwordHash).toBe(await seedHash(password));
    const logged = await owner.select().from(auditLog).where(eq(auditLog.subjectId, userId));
    expect(JSON.stringify(logged)).not.toContain(password);
  });

  test.each([
    ["login", { login: "" }],
    ["login", { login: "a@b" }],
    ["login", { login: "a:b" }],
    ["login", { login: "a b" }],
    ["login", { login: "x".repeat(65) }],
    ["password", { password: "short" }],
    ["password", { password: "x".repeat(129) }],
    ["fullName", { fullName: "x".repeat(201) }],
    ["tenantId", { tenantId: 0 }],
    ["tenantId", { tenantId: "" }],
  ])("are refused a bad %s", async (field, wrong) => {
    const input = { tenantId: seed.tenantId, login: "dave", password, ...wrong };
    expect(Object.keys(fieldErrors(await caught(createUser(admin, DEPS, input))))).toEqual([field]);
  });

  test("come from QVD 4 with the hash that it kept of their password", async () => {
    const qvd4Hash = "ab/+".repeat(11).slice(0, 43);
    const { userId } = await createUser(admin, DEPS, {
      tenantId: seed.tenantId,
      login: "fromfour",
      qvd4Hash,
    });
    const [kept] = await owner.select().from(userCredentials).where(eq(userCredentials.userId, userId));
    expect(kept?.passwordHash).toBe(qvd4Hash);
    // And the audit log tells that it came so, and not what it was.
    const [told] = await owner
      .select({ detail: auditLog.detail })
      .from(auditLog)
      .where(and(eq(auditLog.action, "user.create"), eq(auditLog.subjectId, userId)));
    expect(told?.detail).toEqual({ credential: "hash of QVD 4" });
    const refused = async (input: { password?: string; qvd4Hash?: string }) =>
      Object.keys(
        fieldErrors(await caught(createUser(admin, DEPS, { tenantId: seed.tenantId, login: "g", ...input }))),
      );
    expect(await refused({ qvd4Hash: "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA" })).toEqual(["qvd4Hash"]);
    expect(await refused({ qvd4Hash, password })).toEqual(["password"]);
    expect(await refused({})).toEqual(["password"]);
  });

  test("have their login once in a tenant, whatever its case", async () => {
    const again = createUser(admin, DEPS, { tenantId: seed.tenantId, login: "ALICE", password });
    expect(fieldErrors(await caught(again))).toHaveProperty("login");
  });

  test("of no tenant are refused at that field", async () => {
    const site: Context = { db, actor: seed.siteAdministrator };
    const attempt = createUser(site, DEPS, { tenantId: 9999, login: "erin", password });
    expect(fieldErrors(await caught(attempt))).toEqual({ tenantId: "tenant 9999 does not exist" });
  });

  test("are not hashed for by somebody who may not", async () => {
    let hashed = 0;
    const counting = {
      hashPassword: async (text: string) => {
        hashed += 1;
        return seedHash(text);
      },
    };
    const stranger: Context = { db, actor: seed.aliceActor };
    const { tenantId, alice, administratorId } = seed;
    expect(await codeOf(createUser(stranger, counting, { tenantId, login: "x", password }))).toBe(
      "forbidden",
    );
    expect(await codeOf(setUserPassword(stranger, counting, { userId: alice.userId, password }))).toBe(
      "forbidden",
    );
    const other = setAdministratorPassword(stranger, counting, { administratorId, password });
    expect(await codeOf(other)).toBe("forbidden");
    expect(hashed).toBe(0);
  });

  test("get a new password, also when they had none", async () => {
    const { userId } = seed.alice;
    await owner.delete(userCredentials).where(eq(userCredentials.userId, userId));
    for (const text of ["first password", "second one, longer"]) {
      await setUserPassword(admin, DEPS, { userId, password: text });
      const [row] = await owner.select().from(userCredentials).where(eq(userCredentials.userId, userId));
      expect(row?.passwordHash).toBe(await seedHash(text));
    }
  });

  test("are deleted only without desktops", async () => {
    const { userId, vmId } = seed.alice;
    expect(await codeOf(deleteUser(admin, { userId }))).toBe("conflict");
    await owner.delete(vms).where(eq(vms.id, vmId));
    await deleteUser(admin, { userId });
    expect(await codeOf(deleteUser(admin, { userId }))).toBe("not-found");
    expect(await owner.$count(userCredentials, eq(userCredentials.userId, userId))).toBe(0);
  });
});

describe("tenants, OSFs and administrators", () => {
  test("a tenant's name is lower case and taken once", async () => {
    const site: Context = { db, actor: seed.siteAdministrator };
    await createTenant(site, { name: ` New${count} ` });
    expect(await owner.$count(tenants, eq(tenants.name, `new${count}`))).toBe(1);
    expect(await codeOf(createTenant(site, { name: `NEW${count}` }))).toBe("conflict");
    for (const name of ["*", "-"]) expect(await codeOf(createTenant(site, { name }))).toBe("conflict");
  });

  test("an OSF's resources are bounded, and may be changed one by one", async () => {
    const { osfId } = await createOsf(admin, {
      tenantId: seed.tenantId,
      name: "big",
      memoryMb: "4096",
      cpus: "2.5",
    });
    await changeOsf(admin, { osfId, memoryMb: 2048 });
    const [osf] = await owner.select().from(osfs).where(eq(osfs.id, osfId));
    expect(osf).toMatchObject({ memoryMb: 2048, cpus: 2.5, name: "big" });
    for (const wrong of [{ memoryMb: 1 }, { memoryMb: 1.5 }, { cpus: 0 }, { cpus: "many" }]) {
      expect(await codeOf(changeOsf(admin, { osfId, ...wrong }))).toBe("bad-input");
    }
    expect(await codeOf(changeOsf(admin, { osfId, name: "desktop" }))).toBe("conflict");
  });

  test("an administrator has a role that exists", async () => {
    const attempt = createAdministrator(admin, DEPS, {
      tenantId: seed.tenantId,
      login: "helper",
      password,
      role: "emperor",
    });
    expect(fieldErrors(await caught(attempt))).toHaveProperty("role");
    expect(await owner.$count(administrators, eq(administrators.login, "helper"))).toBe(0);
  });
});

describe("a sign-in", () => {
  const begin = (lifetimeSeconds?: number) =>
    beginSignIn(system, DEPS, {
      administratorId: seed.administratorId,
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    });

  test("is found by its token, with the administrator's rights", async () => {
    const { token, csrfToken } = await begin();
    const found = await findSignIn(db, token);
    expect(found).toMatchObject({ csrfToken, actor: { kind: "administrator", login: "admin" } });
    expect(found?.actor.acls).toEqual(new Set(["*"]));
    expect(csrfToken).not.toBe(token);
  });

  test("is kept as a hash, so that the database gives nobody a way in", async () => {
    const { token } = await begin();
    const rows = await owner.execute<{ text: string }>(
      sql`select s::text "text" from administrator_sessions s`,
    );
    expect(rows.some((row) => row.text.includes(token))).toBe(false);
  });

  test("ends when it is ended, twice too", async () => {
    const { token } = await begin();
    await endSignIn(db, token);
    await endSignIn(db, token);
    expect(await findSignIn(db, token)).toBeUndefined();
  });

  test("ends by time, and then leaves no row", async () => {
    const { token } = await begin(60);
    await owner.update(administratorSessions).set({ expiresAt: new Date(Date.now() - 1000) });
    expect(await findSignIn(db, token)).toBeUndefined();
    await begin();
    expect(await owner.$count(administratorSessions)).toBe(1);
  });

  test.each(["", "x", "x".repeat(1_000_000)])("is not found by the token of a stranger", async (token) => {
    expect(await findSignIn(db, token)).toBeUndefined();
  });

  test("ends when the administrator or their tenant is blocked", async () => {
    const { token } = await begin();
    const { administratorId: id, tenantId } = seed;
    await owner.update(administrators).set({ isBlocked: true }).where(eq(administrators.id, id));
    expect(await findSignIn(db, token)).toBeUndefined();
    expect(await codeOf(begin())).toBe("not-signed-in");
    await owner.update(administrators).set({ isBlocked: false }).where(eq(administrators.id, id));
    expect(await findSignIn(db, token)).toBeDefined();
    await owner.update(tenants).set({ isBlocked: true }).where(eq(tenants.id, tenantId));
    expect(await findSignIn(db, token)).toBeUndefined();
  });

  test("ends when the password changes", async () => {
    const { token } = await begin();
    await setAdministratorPassword(admin, DEPS, {
      administratorId: seed.administratorId,
      password: "another one",
    });
    expect(await findSignIn(db, token)).toBeUndefined();
    const [row] = await owner
      .select()
      .from(administratorCredentials)
      .where(eq(administratorCredentials.administratorId, seed.administratorId));
    expect(row?.passwordHash).toBe(await seedHash("another one"));
  });

  test("notes when its bearer was seen, not more than once a minute", async () => {
    const { token } = await begin();
    const ours = eq(administratorSessions.administratorId, seed.administratorId);
    const seen = async () =>
      (await owner.select().from(administratorSessions).where(ours))[0]?.seenAt.getTime() ?? 0;
    const first = await seen();
    await findSignIn(db, token);
    expect(await seen()).toBe(first);
    await owner.update(administratorSessions).set({ seenAt: new Date(first - 120_000) });
    await findSignIn(db, token);
    expect(await seen()).toBeGreaterThan(first - 60_000);
  });
});

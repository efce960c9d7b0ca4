/** Signing in at a provider of OpenID Connect: a real one over TLS, the auth socket, the real database. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { and, eq } from "drizzle-orm";
import nacl from "tweetnacl";
import { type AuthClient, createAuthClient } from "../../src/auth/client.ts";
import { hashPassword } from "../../src/auth/password.ts";
import { runAuth } from "../../src/auth/run-auth.ts";
import { administratorRoles, administrators, settings, users } from "../../src/db/schema/index.ts";
import type { TenantId } from "../../src/domain/ids.ts";
import { SITE } from "../../src/domain/setting/resolve.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { sealSecret } from "../../src/wire/setting/sealed-secret.ts";
import { createAuthParts } from "../support/auth-parts.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, type Seed, seedSite } from "../support/db-seed.ts";
import { CLIENT_SECRET, type Cookies, type PlayedProvider, playProvider } from "../support/play-provider.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const REDIRECT = "https://qvd.test/sign-in/oidc";
const folder = mkdtempSync(`${tmpdir()}/qvd-oidc-`);
const paths = [`${folder}/one`, `${folder}/two`] as const;
const never = new AbortController().signal;
const ending = new AbortController();
const origin = () => crypto.randomUUID();
let database: TestDatabase;
let seed: Seed;
let provider: PlayedProvider;
/** Two boxes of one site. */
let boxes: readonly [AuthClient, AuthClient];
let ended: Promise<unknown>;

const set = (name: string, value: unknown, tenantId: TenantId = SITE) =>
  database
    .open("qvd_owner")
    .orm.insert(settings)
    .values({ tenantId, name, value })
    .onConflictDoUpdate({ target: [settings.tenantId, settings.name], set: { value } });

beforeAll(async () => {
  database = await createTestDatabase();
  seed = await seedSite(database.open("qvd_owner").orm, { hashPassword });
  const { tlsKey, tlsCertificate } = await createTlsPair();
  provider = await playProvider({ key: tlsKey, certificate: tlsCertificate, redirectUris: [REDIRECT] });
  const keys = nacl.box.keyPair();
  const bound = { "auth.oidc.issuer": provider.issuer, "auth.oidc.ca": tlsCertificate };
  const sealed = sealSecret(keys.publicKey, { name: "auth.oidc.client_secret", bound }, CLIENT_SECRET);
  for (const [name, value] of Object.entries(bound)) await set(name, value);
  await set("auth.oidc.client_secret", sealed);
  await set("auth.oidc.domains", ["example.org"]);
  await set("l7r.auth.plugins", ["oidc"]);
  const running = paths.map((path) => {
    const ready = Promise.withResolvers<void>();
    const parts = createAuthParts(database.open("qvd_auth").orm, keys.secretKey);
    const run = runAuth({
      socketPaths: [path],
      ...parts,
      log: silentLog(),
      signal: ending.signal,
      onReady: ready.resolve,
    });
    return { run, ready: ready.promise };
  });
  await Promise.all(running.map(({ ready }) => ready));
  ended = Promise.all(running.map(({ run }) => run));
  const [one, two] = paths.map((path) => createAuthClient({ path, log: silentLog() }));
  if (one === undefined || two === undefined) throw new Error("two boxes were started");
  boxes = [one, two];
}, 120_000);
afterAll(async () => {
  for (const box of boxes) box.close();
  ending.abort();
  await ended;
  provider.stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});

type Start = { readonly of?: "user" | "administrator"; readonly tenant?: string; readonly isFresh?: boolean };

async function begin({ of = "user", tenant = "", isFresh = false }: Start = {}) {
  const begun = await boxes[0].ask(
    { kind: "begin-oidc", of, tenant, isFresh, redirectUri: REDIRECT, origin: origin() },
    never,
  );
  if (begun.outcome !== "oidc-begun") throw new Error(JSON.stringify(begun));
  return begun;
}

/** The browser goes away from one box and comes back to the other. */
async function signIn(login: string, start: Start = {}, browser?: Cookies) {
  const { url, ticket } = await begin(start);
  const { search } = await provider.signIn(url, login, browser);
  const proof = { kind: "oidc", ticket, query: search.slice(1) } as const;
  return { proof, answer: await verify(proof, start.of) };
}

const verify = (proof: Parameters<AuthClient["verify"]>[0]["proof"], kind: Start["of"] = "user") =>
  boxes[1].verify({ kind, login: "", proof, origin: origin() }, never);

describe("a user", () => {
  test("signs in at the provider, and is who they are here", async () => {
    const { answer } = await signIn("alice");
    expect(answer).toMatchObject({
      outcome: "accepted",
      userId: seed.alice.userId,
      login: "alice",
      by: "oidc",
    });
  });

  test("brings a code back once, with the ticket that it was asked for with", async () => {
    const { proof, answer } = await signIn("alice");
    expect(answer.outcome).toBe("accepted");
    expect((await verify(proof)).outcome).toBe("denied");
    const [mine, theirs] = [await begin(), await begin()];
    const query = (await provider.signIn(mine.url, "alice")).search.slice(1);
    expect((await verify({ kind: "oidc", ticket: theirs.ticket, query })).outcome).toBe("denied");
    expect((await verify({ kind: "oidc", ticket: mine.ticket, query }, "administrator")).outcome).toBe(
      "denied",
    );
    expect((await verify({ kind: "oidc", ticket: mine.ticket, query })).outcome).toBe("accepted");
  });

  test("who is none here, or blocked, is denied", async () => {
    expect((await signIn("stranger")).answer.outcome).toBe("denied");
    const { orm } = database.open("qvd_owner");
    await orm.update(users).set({ isBlocked: true }).where(eq(users.id, seed.bob.userId));
    expect((await signIn("bob")).answer.outcome).toBe("denied");
    await orm.update(users).set({ isBlocked: false }).where(eq(users.id, seed.bob.userId));
    expect((await signIn("bob")).answer.outcome).toBe("accepted");
  });

  test("of another domain is nobody here", async () => {
    provider.claims.set("eve", { preferred_username: "alice@evil.test" });
    expect((await signIn("eve")).answer.outcome).toBe("denied");
    provider.claims.set("eve", { preferred_username: "Alice@Example.org" });
    expect((await signIn("eve")).answer).toMatchObject({ outcome: "accepted", login: "alice" });
  });

  test("is let in by their groups, as they are at that moment", async () => {
    await set("auth.oidc.groups.required", ["staff"]);
    expect((await signIn("alice")).answer.outcome).toBe("denied");
    provider.claims.set("alice", { groups: ["staff"] });
    expect((await signIn("alice")).answer.outcome).toBe("accepted");
    await set("auth.oidc.groups.required", []);
  });

  test("is asked by the tenant's policy, and not for a second factor of ours", async () => {
    await set("auth.second-factor", "required");
    await set("auth.policy", "deny by=oidc group=guests");
    provider.claims.set("alice", { groups: ["guests"] });
    expect((await signIn("alice")).answer.outcome).toBe("denied");
    provider.claims.set("alice", { groups: ["staff"] });
    expect((await signIn("alice")).answer.outcome).toBe("accepted");
    await set("auth.policy", "");
    await set("auth.second-factor", "optional");
  });

  test("is a tenant's by their group, where the provider is the site's", async () => {
    await set("auth.oidc.groups.tenants", ["sales=acme"]);
    const { orm } = database.open("qvd_owner");
    const context = { db: orm, actor: { kind: "system", what: "test" } } as const;
    const { tenantId } = await createTenant(context, { name: "acme" });
    await orm.insert(users).values({ tenantId, login: "carol" });
    provider.claims.set("carol", { groups: ["sales"] });
    expect((await signIn("carol")).answer).toMatchObject({ outcome: "accepted", tenantName: "acme" });
    // The other tenant's chain has to take the provider's word as well.
    await set("l7r.auth.plugins", [], tenantId);
    expect((await signIn("carol")).answer.outcome).toBe("denied");
    await set("l7r.auth.plugins", ["auto", "oidc"], tenantId);
    expect((await signIn("carol")).answer.outcome).toBe("accepted");
    // A tenant that sets a provider of its own gives nobody to another tenant.
    await orm.insert(users).values({ tenantId, login: "alice" });
    await set("auth.oidc.client_id", "of the tenant", seed.tenantId);
    const { url } = await begin({ tenant: "default" });
    expect(new URL(url).searchParams.get("client_id")).toBe("of the tenant");
    await orm
      .delete(settings)
      .where(and(eq(settings.tenantId, seed.tenantId), eq(settings.name, "auth.oidc.client_id")));
  });

  test("stays in their tenant where it reads the site's provider in a way of its own", async () => {
    await set("auth.oidc.groups.tenants", ["sales=acme"]);
    // They chose this name themselves, at the provider.
    provider.claims.set("bob", { groups: ["sales"], name: "alice" });
    await set("auth.oidc.claim.login", "name", seed.tenantId);
    const { answer } = await signIn("bob", { tenant: "default" });
    await set("auth.oidc.claim.login", "preferred_username", seed.tenantId);
    provider.claims.delete("bob");
    expect(answer).toMatchObject({ outcome: "accepted", tenantName: "default" });
  });
});

describe("where the word oidc is missing in a tenant's chain", () => {
  const ofUser = { of: "user", tenant: "default", origin: "x" } as const;
  const describeIt = () => boxes[0].ask({ kind: "describe-oidc", ...ofUser }, never);

  test("no provider is offered, and what one says counts for nothing", async () => {
    const { url, ticket } = await begin();
    const query = (await provider.signIn(url, "alice")).search.slice(1);
    await set("l7r.auth.plugins", ["ldap"], seed.tenantId);
    expect((await describeIt()).outcome).toBe("refused");
    await expect(begin()).rejects.toThrow("l7r.auth.plugins has no oidc");
    expect((await verify({ kind: "oidc", ticket, query })).outcome).not.toBe("accepted");
  });

  test("the site's own head and tail count", async () => {
    for (const name of ["l7r.auth.plugins.head", "l7r.auth.plugins.tail"]) {
      await set(name, ["oidc"]);
      expect((await describeIt()).outcome).toBe("oidc-described");
      expect((await signIn("alice")).answer.outcome).toBe("accepted");
      await database.open("qvd_owner").orm.delete(settings).where(eq(settings.name, name));
      expect((await describeIt()).outcome).toBe("refused");
    }
    await set("l7r.auth.plugins", ["oidc"], seed.tenantId);
  });
});

describe("an administrator", () => {
  const start = { of: "administrator" } as const;
  const rolesOf = async (login: string) => {
    const { orm } = database.open("qvd_owner");
    const [found] = await orm.select().from(administrators).where(eq(administrators.login, login));
    if (found === undefined) return undefined;
    return await orm.$count(administratorRoles, eq(administratorRoles.administratorId, found.id));
  };

  test("is offered no provider before the site says so", async () => {
    await expect(begin(start)).rejects.toThrow("auth.administrators.plugins");
    await set("auth.administrators.plugins", ["oidc"]);
    expect((await begin(start)).url).toStartWith(provider.issuer);
  });

  test("is made with the roles of their groups, and has none when they leave them", async () => {
    expect((await signIn("dora", start)).answer.outcome).toBe("denied");
    await set("auth.oidc.groups.roles", ["qvd-admins=administrator"]);
    provider.claims.set("dora", { groups: ["qvd-admins"] });
    expect((await signIn("dora", start)).answer).toMatchObject({ outcome: "accepted", tenantName: "*" });
    expect(await rolesOf("dora")).toBe(1);
    provider.claims.set("dora", { groups: [] });
    expect((await signIn("dora", start)).answer.outcome).toBe("denied");
    expect(await rolesOf("dora")).toBe(0);
  });

  test("who was created here is neither taken over nor disarmed by one of that name at the provider", async () => {
    for (const groups of [["qvd-admins"], []]) {
      provider.claims.set("admin", { groups });
      expect((await signIn("admin", { ...start, tenant: "default" })).answer.outcome).toBe("denied");
      expect(await rolesOf("admin")).toBe(1);
    }
  });
});

describe("an unlock code", () => {
  test("is for whoever has just proved themselves, opens their screen once, and nobody else's", async () => {
    const browser: Cookies = new Map();
    await signIn("alice", {}, browser);
    const create = async (isFresh: boolean) => {
      const { url, ticket } = await begin({ isFresh });
      const { search } = await provider.signIn(url, "alice", browser);
      const proof = { kind: "oidc", ticket, query: search.slice(1) } as const;
      return await boxes[1].ask({ kind: "create-unlock-code", proof, origin: origin() }, never);
    };
    // The provider knows the browser and asks nothing: that is no fresh proof.
    expect((await create(false)).outcome).toBe("denied");
    const created = await create(true);
    if (created.outcome !== "unlock-code-created") throw new Error(JSON.stringify(created));
    const unlock = (userId: number, secret: string) =>
      boxes[0].ask({ kind: "unlock", userId, vmId: 7, secret, origin: "desktop 7" }, never);
    expect((await unlock(seed.bob.userId, created.code)).outcome).toBe("denied");
    expect((await unlock(seed.alice.userId, "aaaaaaaa")).outcome).toBe("denied");
    expect((await unlock(seed.alice.userId, created.code)).outcome).toBe("unlocked");
    expect((await unlock(seed.alice.userId, created.code)).outcome).toBe("denied");
  });
});

test("a password unlocks too, of its own user, judged by where the client sits", async () => {
  const unlock = (userId: number, origin: string, secret = SEED_PASSWORD) =>
    boxes[0].ask({ kind: "unlock", userId, vmId: 7, secret, origin }, never);
  expect((await unlock(seed.alice.userId, "192.0.2.9")).outcome).toBe("unlocked");
  expect((await unlock(seed.alice.userId, "192.0.2.9", "")).outcome).toBe("denied");
  expect((await unlock(999_999, "192.0.2.9")).outcome).toBe("denied");
  await set("auth.policy", "allow from=192.0.2.0/24\ndeny");
  expect((await unlock(seed.alice.userId, "192.0.2.9")).outcome).toBe("unlocked");
  expect((await unlock(seed.alice.userId, "203.0.113.9")).outcome).toBe("denied");
  await set("auth.policy", "");
});

describe("what does not come from the provider", () => {
  test.each([
    ["an error", "error=access_denied&state=STATE"],
    ["another state", "code=abc&state=other"],
    ["no code", "state=STATE"],
    ["a made-up code", "code=abc&state=STATE&iss=ISSUER"],
    ["another issuer", "code=abc&state=STATE&iss=https://evil.test"],
    ["nothing", ""],
    ["garbage", "%00%ff&&&==="],
  ])("%s is denied", async (_, template) => {
    const { url, ticket } = await begin();
    const state = new URL(url).searchParams.get("state") ?? "";
    const query = template.replace("STATE", state).replace("ISSUER", encodeURIComponent(provider.issuer));
    expect((await verify({ kind: "oidc", ticket, query })).outcome).toBe("denied");
  });

  test("a provider that is away is said to be, and one of another authority is none", async () => {
    await set("auth.oidc.issuer", "https://localhost:1");
    expect(
      (
        await boxes[0].ask(
          { kind: "begin-oidc", of: "user", tenant: "", isFresh: false, redirectUri: REDIRECT, origin: "x" },
          never,
        )
      ).outcome,
    ).toBe("refused");
    await set("auth.oidc.issuer", "");
    expect(
      (await boxes[0].ask({ kind: "describe-oidc", of: "user", tenant: "", origin: "x" }, never)).outcome,
    ).toBe("refused");
    await set("auth.oidc.issuer", provider.issuer);
    expect(
      await boxes[0].ask({ kind: "describe-oidc", of: "user", tenant: "", origin: "x" }, never),
    ).toMatchObject({ outcome: "oidc-described", label: "your organisation" });
    const other = (await createTlsPair()).tlsCertificate;
    await set("auth.oidc.ca", other);
    expect(
      (
        await boxes[0].ask(
          { kind: "begin-oidc", of: "user", tenant: "", isFresh: false, redirectUri: REDIRECT, origin: "x" },
          never,
        )
      ).outcome,
    ).toBe("refused");
  });
});

/** A tenant's chain as `qvd auth run` has it: a real directory, real accounts, what is made at a first sign-in, the policy. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import nacl from "tweetnacl";
import { type AuthClient, createAuthClient } from "../../src/auth/client.ts";
import { hashPassword } from "../../src/auth/password.ts";
import { runAuth } from "../../src/auth/run-auth.ts";
import type { Db } from "../../src/db/client.ts";
import { createLog, silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { setSetting } from "../../src/service/setting/set.ts";
import { setUserPassword } from "../../src/service/user/set-password.ts";
import type { AuthAnswer, AuthProof } from "../../src/wire/auth/messages.ts";
import { sealSecret } from "../../src/wire/setting/sealed-secret.ts";
import { createAuthParts } from "../support/auth-parts.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, type Seed, seedSite } from "../support/db-seed.ts";
import {
  DIRECTORY_BASE,
  DIRECTORY_PASSWORD,
  type DirectoryServerLab,
  SEARCHER,
  seedDirectory,
  startDirectory,
} from "../support/directory-server.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-chain-`);
const keys = nacl.box.keyPair();
const never = new AbortController().signal;
const ending = new AbortController();
/** Two boxes of one site: each has an auth of its own. */
const sockets = [`${folder}/one`, `${folder}/two`];
let database: TestDatabase;
let directory: DirectoryServerLab;
let owner: ReturnType<TestDatabase["open"]>["sql"];
let adminDb: Db;
let seed: Seed;
let ended: Promise<unknown>;
let log = "";

beforeAll(async () => {
  database = await createTestDatabase();
  const opened = database.open("qvd_owner");
  owner = opened.sql;
  adminDb = database.open("qvd_admin").orm;
  seed = await seedSite(opened.orm, { hashPassword });
  directory = await startDirectory(seedDirectory());
  const started = sockets.map(startAuth);
  await Promise.all(started.map(({ ready }) => ready));
  ended = Promise.all(started.map(({ ended }) => ended));
}, 120_000);
afterAll(async () => {
  ending.abort();
  await ended;
  await directory.destroy();
  await database.drop();
  rmSync(folder, { recursive: true });
});

function startAuth(path: string) {
  const write = (line: string) => {
    log += line;
  };
  const authLog = createLog({ level: "debug", write, now: () => new Date() });
  const db = database.open("qvd_auth").orm;
  const secretKey = new Uint8Array(keys.secretKey);
  const ready = Promise.withResolvers<void>();
  return {
    ready: ready.promise,
    ended: runAuth({
      socketPaths: [path, `${path}-admin`],
      adminSocketPath: `${path}-admin`,
      ...createAuthParts(db, secretKey, authLog),
      log: authLog,
      signal: ending.signal,
      onReady: ready.resolve,
    }),
  };
}

async function set(values: Readonly<Record<string, string>>): Promise<void> {
  const context = { db: adminDb, actor: seed.siteAdministrator };
  const deps = { sealSecret: async (...of: Parameters<typeof seal>) => seal(...of) };
  for (const [name, value] of Object.entries(values))
    await setSetting(context, deps, {
      name,
      value,
      tenantId: name.endsWith(".tail") ? undefined : seed.tenantId,
    });
}
const seal = (use: Parameters<typeof sealSecret>[1], secret: string) =>
  sealSecret(keys.publicKey, use, secret);

beforeEach(async () => {
  await owner`delete from settings`;
  await set({
    "l7r.auth.plugins": "ldap",
    "auth.ldap.host": `ldaps://localhost:${directory.tlsPort}`,
    "auth.ldap.ca": directory.ca,
    "auth.ldap.binddn": SEARCHER.dn,
    "auth.ldap.bindpass": SEARCHER.password,
    "auth.ldap.base": DIRECTORY_BASE,
    "auth.ldap.scope": "sub",
    "auth.auto.osf_id": String(seed.osfId),
  });
});

async function ask(
  login: string,
  password: string = DIRECTORY_PASSWORD,
  more: {
    path?: string | undefined;
    kind?: "user" | "administrator";
    origin?: string;
    proof?: AuthProof;
  } = {},
): Promise<AuthAnswer> {
  const client = createAuthClient({ path: more.path ?? `${folder}/one`, log: silentLog() });
  const proof = more.proof ?? ({ kind: "password", password } as const);
  const origin = more.origin ?? `test ${crypto.randomUUID()}`;
  const answer = await client.verify({ kind: more.kind ?? "user", login, proof, origin }, never);
  client.close();
  return answer;
}

async function askAs(path: string, request: Parameters<AuthClient["ask"]>[0]) {
  const client = createAuthClient({ path, log: silentLog() });
  const reply = await client.ask(request, never);
  client.close();
  return reply;
}

const owned = async (login: string) => {
  const rows = await owner`
    select u.login, u.full_name, v.name, v.osf_id, v.di_tag from users u left join vms v on v.user_id = u.id
    where u.login = ${login} order by v.name`;
  return rows.map((row) => ({ ...row }));
};

describe("a first sign-in", () => {
  test("makes nothing without auto in the chain, and is denied", async () => {
    expect(await ask("ann")).toMatchObject({ outcome: "denied" });
    expect(await owned("ann")).toEqual([]);
  });

  test("makes the user and a desktop, once, whoever asks how often and where", async () => {
    await set({ "l7r.auth.plugins": "auto,ldap" });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => ask("ann", undefined, { path: sockets[n % 2] })),
    );
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 12 }, () => "accepted"));
    expect(answers[0]).toMatchObject({
      login: "ann",
      by: "ldap",
      parameters: { "qvd.vm.user.uid": "20001" },
    });
    expect(await owned("ann")).toEqual([
      { login: "ann", full_name: "Ann Ford", name: "ann-1", osf_id: Number(seed.osfId), di_tag: "default" },
    ]);
    const audit = await owner`select actor, action, subject_name from audit_log
      where actor = 'system:auth' and (subject_name like 'ann%') order by id`;
    expect(audit.map((row) => ({ ...row }))).toEqual([
      { actor: "system:auth", action: "user.provision", subject_name: "ann" },
      { actor: "system:auth", action: "vm.create", subject_name: "ann-1" },
    ]);
  });

  test("makes nothing for a wrong password", async () => {
    await set({ "l7r.auth.plugins": "auto,ldap" });
    expect(await ask("bob", "wrong")).toMatchObject({ outcome: "denied" });
    expect(await ask("josé", "wrong")).toMatchObject({ outcome: "denied" });
    expect(await owned("josé")).toEqual([]);
  });

  test("takes the next name where another's desktop has the first, and says when there is none left", async () => {
    await set({ "l7r.auth.plugins": "auto,ldap", "auth.auto.max_vms": "1" });
    await owner`update vms set name = 'josé-1' where id = ${seed.bob.vmId}`;
    expect(await ask("josé")).toMatchObject({
      outcome: "unavailable",
      text: expect.stringContaining("administrator"),
    });
    expect(log).toContain("auth.auto.max_vms");
    expect(await owned("josé")).toEqual([]);
    await set({ "auth.auto.max_vms": "2" });
    expect(await ask("josé")).toMatchObject({ outcome: "accepted" });
    expect(await owned("josé")).toMatchObject([{ name: "josé-2" }]);
  });

  test("makes the user alone where no flavour is set", async () => {
    await set({ "l7r.auth.plugins": "auto,ldap", "auth.auto.osf_id": "0" });
    expect(await ask("pa(ren)s")).toMatchObject({ outcome: "accepted" });
    expect(await owned("pa(ren)s")).toMatchObject([{ name: null }]);
  });

  test("of a login that no account can have is refused with the reason in the log", async () => {
    await set({ "l7r.auth.plugins": "auto,ldap", "auth.ldap.filter": "(cn=%u)" });
    expect(await ask("twin one")).toMatchObject({ outcome: "unavailable" });
    expect(log).toContain("must not contain spaces");
  });
});

describe("the order", () => {
  test("lets local accounts in besides those of the directory, each by their own password", async () => {
    expect(await ask("bob", SEED_PASSWORD)).toMatchObject({ outcome: "accepted", by: "local" });
    expect(await ask("bob", "wrong everywhere")).toMatchObject({ outcome: "denied" });
    await set({ "l7r.auth.plugins.tail": "" });
    expect(await ask("bob")).toMatchObject({ outcome: "accepted", by: "ldap" });
    expect(await ask("bob", SEED_PASSWORD)).toMatchObject({ outcome: "denied" });
    expect(await ask("alice", SEED_PASSWORD)).toMatchObject({ outcome: "denied" });
  });

  test("passes over a directory that is away, says so plainly to whom nobody else knows, and asks it again", async () => {
    await directory.stop();
    try {
      expect(await ask("alice", SEED_PASSWORD)).toMatchObject({ outcome: "accepted", by: "local" });
      const answer = await ask("ann");
      expect(answer).toMatchObject({ outcome: "unavailable" });
      expect(JSON.stringify(answer)).not.toContain("localhost");
      expect(log).toContain(`ldaps://localhost:${directory.tlsPort}`);
      const name = `ldaps://localhost:${directory.tlsPort}`;
      // For as long as it is left alone, a second at first; longer once it was asked in vain again.
      const listAway = async () => {
        await ask("ann");
        const reply = await askAs(`${folder}/one-admin`, { kind: "list-away" });
        return reply.outcome === "away" && reply.directories.length > 0 && reply.directories;
      };
      expect(await waitFor(listAway, { timeoutMs: 20_000 })).toMatchObject([
        { name, text: expect.stringContaining("ECONNREFUSED") },
      ]);
    } finally {
      await directory.start();
    }
    const isBack = async () => (await ask("bob")).outcome === "accepted";
    expect(await waitFor(isBack, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
  }, 60_000);

  test("of administrators ends with their own passwords, whatever is set", async () => {
    const kind = "administrator";
    await set({ "auth.administrators.plugins": "ldap", "auth.policy": "deny" });
    expect(await ask("admin@default", SEED_PASSWORD, { kind })).toMatchObject({
      outcome: "accepted",
      by: "local",
    });
    expect(await ask("ann@default", undefined, { kind })).toMatchObject({ outcome: "denied" });
  });

  test("proves an administrator by the directory, where that is set", async () => {
    const kind = "administrator";
    await owner`insert into administrators (tenant_id, login) values (${seed.tenantId}, 'ann')`;
    expect(await ask("ann@default", undefined, { kind })).toMatchObject({ outcome: "denied" });
    await set({ "auth.administrators.plugins": "ldap" });
    expect(await ask("ann@default", undefined, { kind })).toMatchObject({ outcome: "accepted", by: "ldap" });
  });
});

describe("the policy", () => {
  test("forbids local passwords to those who aren't named", async () => {
    await set({ "auth.policy": "allow by=local property=sign-in:local\ndeny by=local" });
    expect(await ask("bob", SEED_PASSWORD)).toMatchObject({ outcome: "denied" });
    await owner`insert into properties (user_id, key, value) values (${seed.bob.userId}, 'sign-in', 'local')`;
    expect(await ask("bob", SEED_PASSWORD)).toMatchObject({ outcome: "accepted", by: "local" });
    expect(await ask("bob")).toMatchObject({ outcome: "accepted", by: "ldap" });
  });

  test("goes by groups of the directory, and by addresses", async () => {
    const groups = { "auth.ldap.groups.base": `ou=groups,${DIRECTORY_BASE}` };
    await set({ ...groups, "auth.policy": 'allow group="domain admins" from=192.0.2.0/24\ndeny by=ldap' });
    expect(await ask("bob", undefined, { origin: "192.0.2.1" })).toMatchObject({ outcome: "accepted" });
    expect(await ask("bob", undefined, { origin: "198.51.100.1" })).toMatchObject({ outcome: "denied" });
  });
});

describe("a hash of QVD 4", () => {
  /** `secret`, by the salt that QVD 4 shipped. */
  const OLD = "gF7cemH4TAk9hgXhfRbmGsabY4w5p4fdOGj2A4/hK/w";
  const hash = async () => {
    return (await owner`select password_hash from user_credentials where user_id = ${seed.alice.userId}`)[0]
      ?.password_hash;
  };

  test("is accepted once, and then one of today", async () => {
    await owner`update user_credentials set password_hash = ${OLD} where user_id = ${seed.alice.userId}`;
    expect(await ask("alice", "Secret")).toMatchObject({ outcome: "denied" });
    expect(await hash()).toBe(OLD);
    expect(await ask("alice", "secret")).toMatchObject({ outcome: "accepted", by: "local" });
    expect(await hash()).toStartWith("$argon2id$");
    expect(await ask("alice", "secret")).toMatchObject({ outcome: "accepted" });
    expect(await ask("alice", OLD)).toMatchObject({ outcome: "denied" });
    const audit = await owner`select subject_name from audit_log where action = 'user.upgrade-hash'`;
    expect(audit.map((row) => row.subject_name)).toEqual(["alice"]);
    await setUserPassword(
      { db: adminDb, actor: seed.siteAdministrator },
      { hashPassword },
      { userId: seed.alice.userId, password: SEED_PASSWORD },
    );
  });

  test("is good with the salt that it was made with", async () => {
    await owner`update user_credentials set password_hash = ${OLD} where user_id = ${seed.alice.userId}`;
    await owner`insert into settings (name, value) values ('l7r.auth.plugin.default.salt', '"another"')`;
    expect(await ask("alice", "secret")).toMatchObject({ outcome: "denied" });
    await owner`delete from settings where name = 'l7r.auth.plugin.default.salt'`;
    expect(await ask("alice", "secret")).toMatchObject({ outcome: "accepted" });
  });
});

describe("what administrators ask of auth", () => {
  const admin = `${folder}/one-admin`;
  const test0 = { kind: "test-directory", tenantId: 1, login: "ann" } as const;
  const steps = async (login = "ann") => {
    const reply = await askAs(admin, { ...test0, tenantId: Number(seed.tenantId), login });
    if (reply.outcome !== "directory-tested") throw new Error(reply.outcome);
    return reply.servers.flatMap((server) =>
      server.steps.map(({ isGood, text }) => `${isGood ? "good" : "bad"}: ${text}`),
    );
  };

  test("is answered on their socket alone", async () => {
    const asked = [test0, { kind: "list-slowed" }, { kind: "forget-slowed", slowedId: "x" }] as const;
    for (const request of asked)
      expect(await askAs(`${folder}/one`, request)).toMatchObject({ outcome: "denied" });
  });

  test("a directory is tried step by step, and says exactly what failed", async () => {
    expect(await steps("ANN ")).toEqual([
      "good: It answers, encrypted from the start, with a certificate that is trusted.",
      `good: Signed in as ${SEARCHER.dn}.`,
      `good: Found uid=ann,ou=people,${DIRECTORY_BASE}.`,
    ]);
    expect((await steps("twin")).at(-1)).toContain("More than one entry");
    expect((await steps("nobody")).at(-1)).toStartWith(
      "bad: No entry below dc=example,dc=org (sub) matches (uid=nobody)",
    );
    await set({
      "auth.ldap.groups.base": `ou=groups,${DIRECTORY_BASE}`,
      "auth.ldap.groups.required": "staff",
    });
    expect((await steps()).at(-1)).toEndWith("Groups: staff.");
    expect((await steps("bob")).at(-1)).toStartWith("bad: Found uid=bob");
    await set({ "auth.ldap.bindpass": "wrong" });
    expect((await steps()).at(-1)).toContain("auth.ldap.bindpass");
    await set({ "auth.ldap.ca": "" });
    expect(await steps()).toEqual([
      expect.stringContaining("bad: auth.ldap.bindpass was set for another value of auth.ldap.ca"),
    ]);
    await set({ "auth.ldap.bindpass": SEARCHER.password });
    expect(await steps()).toEqual([expect.stringContaining("auth.ldap.ca")]);
    await set({ "auth.ldap.host": "ldap://localhost:9" });
    await set({ "auth.ldap.bindpass": SEARCHER.password });
    expect(await steps()).toEqual([expect.stringContaining("Nothing listens on port 9")]);
  });

  test("a tenant's own administrators learn no more than that it can't be reached, and once in a while", async () => {
    const byTenant = (tenantId: number) => askAs(admin, { ...test0, tenantId, isByTenant: true });
    await set({ "auth.ldap.timeout": "1", "auth.ldap.host": "ldap://localhost:9" });
    await set({ "auth.ldap.bindpass": SEARCHER.password });
    const reply = await byTenant(Number(seed.tenantId));
    expect(reply).toMatchObject({
      servers: [
        { steps: [{ what: "Connect", isGood: false, text: expect.not.stringContaining("listens") }] },
      ],
    });
    expect(JSON.stringify(reply)).not.toContain("ECONN");
    expect(await byTenant(Number(seed.tenantId))).toMatchObject({ outcome: "busy" });
    expect((await steps()).join()).toContain("Nothing listens");
  });

  test("who is slowed down is listed, of a tenant for its own, and forgotten", async () => {
    for (let n = 0; n < 8; n++) await ask("bob", `guess ${n}`, { origin: "192.0.2.77" });
    const reply = await askAs(admin, { kind: "list-slowed" });
    if (reply.outcome !== "slowed") throw new Error(reply.outcome);
    const one = reply.slowed.find(({ origin }) => origin === "192.0.2.77");
    expect(one).toMatchObject({ lane: "pair", login: "bob", tenant: "default", failures: 8 });
    expect(await askAs(admin, { kind: "list-slowed", tenant: "other" })).toMatchObject({
      slowed: [],
      total: 0,
    });
    const forget = { kind: "forget-slowed", slowedId: one?.id ?? "" } as const;
    expect(await askAs(admin, forget)).toMatchObject({ outcome: "forgotten" });
    expect(await askAs(admin, forget)).toMatchObject({ outcome: "refused" });
  }, 60_000);
});

/** What unlocks a locked screen, asked at the auth socket as the node does: a directory's password, a code behind it, a token. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { secondFactors, settings } from "../../src/db/schema/index.ts";
import { type AuthSite, openAuthSite, setSiteSetting } from "../support/auth-site.ts";
import { SEED_PASSWORD } from "../support/db-seed.ts";
import { DIRECTORY_BASE, DIRECTORY_PASSWORD } from "../support/directory-server.ts";
import { codeNow } from "../support/proof-pages.ts";
import { useDirectory } from "../support/use-directory.ts";

const never = new AbortController().signal;
const directory = useDirectory();
let site: AuthSite;

beforeAll(async () => {
  site = await openAuthSite();
}, 120_000);
beforeEach(() =>
  set({
    "l7r.auth.plugins": ["ldap"],
    "auth.ldap.host": [`ldaps://localhost:${directory().tlsPort}`],
    "auth.ldap.ca": directory().ca,
    "auth.ldap.base": DIRECTORY_BASE,
    "auth.ldap.scope": "sub",
  }),
);
afterEach(async () => {
  await owner().delete(settings);
});
afterAll(() => site.stop());

const owner = () => site.database.open("qvd_owner").orm;

async function set(values: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await setSiteSetting(site.database, name, value);
}

/** An address for each keeps the throttle out of the way. */
async function unlock(secret: string, whose: "alice" | "bob" = "bob", at?: number): Promise<string> {
  const { userId, vmId: own } = site.seed[whose];
  const vmId = at ?? own;
  const request = { kind: "unlock", userId, vmId, secret, origin: crypto.randomUUID() } as const;
  return (await site.auth.ask(request, never)).outcome;
}

describe("somebody of a directory", () => {
  test("unlocks by the directory's password, and nobody else by it", async () => {
    expect(await unlock(DIRECTORY_PASSWORD)).toBe("unlocked");
    expect(await unlock(`${DIRECTORY_PASSWORD}!`)).toBe("denied");
    expect(await unlock("")).toBe("denied");
    // Alice is in no directory, and has a password here.
    expect(await unlock(DIRECTORY_PASSWORD, "alice")).toBe("denied");
    expect(await unlock(SEED_PASSWORD, "alice")).toBe("unlocked");
  });

  test("doesn't by a password of here where the chain has the directory alone", async () => {
    await set({ "l7r.auth.plugins.tail": [] });
    expect(await unlock(SEED_PASSWORD)).toBe("denied");
    expect(await unlock(DIRECTORY_PASSWORD)).toBe("unlocked");
  });

  test("doesn't unlock the screen of whom the directory takes for somebody else", async () => {
    await set({ "auth.ldap.filter": "(uid=bob)", "auth.ldap.name.normalize": true });
    expect(await unlock(DIRECTORY_PASSWORD, "alice")).toBe("denied");
    expect(await unlock(DIRECTORY_PASSWORD, "bob")).toBe("unlocked");
  });

  test("who signs in by another name than their account's needs none here, nor for a second factor", async () => {
    await set({
      "auth.ldap.filter": "(&(objectClass=inetOrgPerson)(employeeNumber=%u))",
      "auth.ldap.name.normalize": true,
    });
    const origin = () => crypto.randomUUID();
    const proof = { kind: "password", password: DIRECTORY_PASSWORD } as const;
    const signIn = (login: string) =>
      site.auth.verify({ kind: "user", login, proof, origin: origin() }, never);
    expect(await signIn("4711")).toMatchObject({ outcome: "accepted", userId: site.seed.bob.userId });
    expect((await signIn("bob")).outcome).toBe("denied");
    expect(await unlock(DIRECTORY_PASSWORD)).toBe("unlocked");
    expect(await unlock(`${DIRECTORY_PASSWORD}!`)).toBe("denied");
    expect(await unlock(DIRECTORY_PASSWORD, "alice")).toBe("denied");
    const begin = { kind: "begin-enrolment", of: "user", login: "bob", proof, origin: origin() } as const;
    expect((await site.auth.ask({ ...begin, tenant: "default" }, never)).outcome).toBe("enrolment-begun");
    expect((await site.auth.ask(begin, never)).outcome).toBe("denied");
  });

  test("stays out while the directory is away, and isn't told that the password is wrong", async () => {
    await set({ "auth.ldap.host": ["ldaps://localhost:9"] });
    expect(await unlock(DIRECTORY_PASSWORD)).toBe("unavailable");
  });
});

describe("somebody with a token", () => {
  const make = async (wish: { readonly vmId?: number; readonly isMultiUse?: boolean } = {}) => {
    const { userId } = site.seed.alice;
    const request = { kind: "create-token", userId, isMultiUse: true, origin: "192.0.2.5", ...wish } as const;
    const made = await site.auth.ask(request, never);
    if (made.outcome !== "token-created") throw new Error(JSON.stringify(made));
    return made.token;
  };

  test("unlocks by it, bare or as clients are given it, as often as it is good", async () => {
    const many = await make();
    expect(await unlock(many, "alice")).toBe("unlocked");
    expect(await unlock(btoa(`${many}\n`), "alice")).toBe("unlocked");
    expect(await unlock(`${many.slice(1)}x`, "alice")).toBe("denied");
    expect(await unlock(many, "bob")).toBe("denied");
    const once = await make({ isMultiUse: false });
    expect(await unlock(once, "alice")).toBe("unlocked");
    expect(await unlock(once, "alice")).toBe("denied");
  });

  test("doesn't at another desktop than it was made for, nor against the policy", async () => {
    const bound = await make({ vmId: site.seed.alice.vmId });
    expect(await unlock(bound, "alice", site.seed.bob.vmId)).toBe("denied");
    expect(await unlock(bound, "alice")).toBe("unlocked");
    await set({ "auth.policy": "deny by=token" });
    expect(await unlock(bound, "alice")).toBe("denied");
  });
});

describe("somebody with a second factor", () => {
  let secret: string;
  let recoveryCodes: readonly string[];
  beforeAll(async () => {
    const proof = { kind: "password", password: SEED_PASSWORD } as const;
    const origin = crypto.randomUUID();
    const begun = await site.auth.ask(
      { kind: "begin-enrolment", of: "user", login: "bob", proof, origin },
      never,
    );
    if (begun.outcome !== "enrolment-begun") throw new Error(JSON.stringify(begun));
    secret = begun.secret;
    const { ticket } = begun;
    const confirm = { kind: "confirm-enrolment", ticket, code: codeNow(secret), origin } as const;
    const done = await site.auth.ask(confirm, never);
    recoveryCodes = done.outcome === "enrolled" ? done.recoveryCodes : [];
    expect(await owner().$count(secondFactors)).toBe(1);
  });
  /** One that wasn't shown yet: those of the steps before count as spent once a later one was. */
  const freshCode = async () => {
    await owner()
      .update(secondFactors)
      .set({ lastStep: 0 })
      .where(eq(secondFactors.userId, site.seed.bob.userId));
    return codeNow(secret);
  };

  for (const [name, password] of [
    ["a password of here", SEED_PASSWORD],
    ["a directory's", DIRECTORY_PASSWORD],
  ] as const)
    test(`unlocks by ${name} with the code behind it, each code once`, async () => {
      expect(await unlock(password)).toBe("denied");
      const code = await freshCode();
      expect(await unlock(`wrong ${password}${code}`)).toBe("denied");
      expect(await unlock(`${password}${code}`)).toBe("unlocked");
      expect(await unlock(`${password}${code}`)).toBe("denied");
      expect(await unlock(code)).toBe("denied");
    });

  test("who has lost the phone unlocks by a recovery code behind the password, once", async () => {
    const [code = "", next = ""] = recoveryCodes;
    expect(await unlock(`wrong ${DIRECTORY_PASSWORD}${code}`)).toBe("denied");
    expect(await unlock(`${DIRECTORY_PASSWORD}${code}`)).toBe("unlocked");
    expect(await unlock(`${DIRECTORY_PASSWORD}${code}`)).toBe("denied");
    expect(await unlock(`${SEED_PASSWORD}${next.toUpperCase()}`)).toBe("unlocked");
  });

  test("needs no code where nobody is asked for one", async () => {
    await set({ "auth.second-factor": "off" });
    expect(await unlock(DIRECTORY_PASSWORD)).toBe("unlocked");
  });

  test("who should have one and hasn't stays out", async () => {
    await set({ "auth.second-factor": "required" });
    expect(await unlock(SEED_PASSWORD, "alice")).toBe("denied");
  });
});

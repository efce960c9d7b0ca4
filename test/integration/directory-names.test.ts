/** People of a directory who sign in by another name than their account's, with a second factor of ours. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { secondFactors } from "../../src/db/schema/index.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { type AuthSite, openAuthSite, setSiteSetting } from "../support/auth-site.ts";
import { DIRECTORY_BASE, DIRECTORY_PASSWORD } from "../support/directory-server.ts";
import { codeNow } from "../support/proof-pages.ts";
import { useDirectory } from "../support/use-directory.ts";

const never = new AbortController().signal;
const directory = useDirectory();
let site: AuthSite;
let secret = "";
let recoveryCodes: readonly string[] = [];

const origin = () => crypto.randomUUID();
const owner = () => site.database.open("qvd_owner").orm;
/** As NX clients do, which have one field. */
const byClient = (login: string, password: string) =>
  site.auth.verify({ kind: "user", login, proof: { kind: "password", password }, origin: origin() }, never);
/** One that wasn't shown yet: those of the steps before count as spent once a later one was. */
async function freshCode(): Promise<string> {
  await owner()
    .update(secondFactors)
    .set({ lastStep: 0 })
    .where(eq(secondFactors.userId, site.seed.bob.userId));
  return codeNow(secret);
}

beforeAll(async () => {
  site = await openAuthSite();
  const settings = {
    "l7r.auth.plugins": ["ldap"],
    "auth.ldap.host": [`ldaps://localhost:${directory().tlsPort}`],
    "auth.ldap.ca": directory().ca,
    "auth.ldap.base": DIRECTORY_BASE,
    "auth.ldap.scope": "sub",
    "auth.ldap.filter": "(&(objectClass=inetOrgPerson)(employeeNumber=%u))",
    "auth.ldap.name.normalize": true,
  };
  for (const [name, value] of Object.entries(settings)) await setSiteSetting(site.database, name, value);
  // As the portal asks for whoever is signed in: by the name of their account.
  const proof = { kind: "password", password: DIRECTORY_PASSWORD } as const;
  const person = { of: "user", login: "bob", tenant: "default", proof, origin: origin() } as const;
  const begun = await site.auth.ask({ kind: "begin-enrolment", ...person }, never);
  if (begun.outcome !== "enrolment-begun") throw new Error(JSON.stringify(begun));
  secret = begun.secret;
  const { ticket } = begun;
  const confirm = { kind: "confirm-enrolment", ticket, code: codeNow(secret), origin: origin() } as const;
  const done = await site.auth.ask(confirm, never);
  recoveryCodes = done.outcome === "enrolled" ? done.recoveryCodes : [];
}, 120_000);
afterAll(() => site.stop());

describe("somebody with a second factor and a name of the directory's", () => {
  test("puts the code behind the password, each once", async () => {
    const code = await freshCode();
    const binds = () => directory().count(/BIND dn="uid=bob,ou=people,.* method=/);
    const before = binds();
    expect((await byClient("4711", DIRECTORY_PASSWORD)).outcome).toBe("denied");
    expect((await byClient("4711", `wrong ${DIRECTORY_PASSWORD}${code}`)).outcome).toBe("denied");
    expect(await byClient("4711", `${DIRECTORY_PASSWORD}${code}`)).toMatchObject({
      outcome: "accepted",
      userId: site.seed.bob.userId,
      by: "ldap",
    });
    expect((await byClient("4711", `${DIRECTORY_PASSWORD}${code}`)).outcome).toBe("denied");
    // One for each try: no password is put to the directory in two forms. Its log comes late.
    await waitFor(() => binds() - before >= 4, { timeoutMs: 15_000, everyMs: 5 });
    expect(binds() - before).toBe(4);
  });

  test("puts a recovery code there as well", async () => {
    const [code = ""] = recoveryCodes;
    expect((await byClient("4711", `${DIRECTORY_PASSWORD}${code}`)).outcome).toBe("accepted");
    expect((await byClient("4711", `${DIRECTORY_PASSWORD}${code}`)).outcome).toBe("denied");
  });

  test("has no other name to sign in by than the filter says", async () => {
    expect((await byClient("bob", `${DIRECTORY_PASSWORD}${await freshCode()}`)).outcome).toBe("denied");
    expect((await byClient("0000", `${DIRECTORY_PASSWORD}${await freshCode()}`)).outcome).toBe("denied");
  });

  test("is told that the directory is away, not that the password is wrong", async () => {
    await directory().stop();
    expect((await byClient("4711", `${DIRECTORY_PASSWORD}${await freshCode()}`)).outcome).toBe("unavailable");
    await directory().start();
  });
});

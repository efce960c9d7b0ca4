/** People of a real Active Directory (Samba's): the ways to ask it, nested groups, and what it says of whom it refuses. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openSession } from "../../../src/auth/ldap/directory-session.ts";
import { proveInDirectory } from "../../../src/auth/ldap/prove-in-directory.ts";
import { testDirectory } from "../../../src/auth/ldap/test-directory.ts";
import {
  type ActiveDirectory,
  AD_BASE,
  AD_PASSWORD,
  AD_REALM,
  startActiveDirectory,
} from "../../support/active-directory.ts";
import { askDirectoryOf, resolveSettings, settingsOf, type Values } from "../../support/ldap-asker.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
const SEARCHER = `qvd@${AD_REALM}`;
const USERS = `CN=Users,${AD_BASE}`;
const SET_UP_MS = 660_000;

let domain: ActiveDirectory;

beforeAll(async () => {
  if (!isLong) return;
  domain = await startActiveDirectory({ instance: "adlab", network: "172.29.13" });
  const { tool } = domain;
  await tool("domain", "passwordsettings", "set", "--account-lockout-threshold=3", "--max-pwd-age=0");
  for (const login of ["qvd", "ann", "bob", "dora", "eve", "fred", "lock"])
    await tool("user", "create", login, AD_PASSWORD, `--given-name=${login}`, "--surname=Ford");
  for (const group of ["staff", "company", "Night Shift"]) await tool("group", "add", group);
  await tool("group", "addmembers", "staff", "ann");
  await tool("group", "addmembers", "company", "staff");
  await tool("user", "disable", "dora");
  await domain.modify(
    [
      `dn: CN=fred Ford,${USERS}\nchangetype: modify\nreplace: accountExpires\naccountExpires: 132000000000000000\n`,
      `dn: CN=eve Ford,${USERS}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n`,
    ].join("\n"),
  );
}, SET_UP_MS);
afterAll(() => domain?.destroy());

const search = (): Values => ({
  "auth.ldap.host": [`ldaps://${domain.address}`],
  "auth.ldap.ca": domain.ca,
  "auth.ldap.binddn": SEARCHER,
  bindpass: AD_PASSWORD,
  "auth.ldap.base": AD_BASE,
  "auth.ldap.scope": "sub",
  "auth.ldap.filter": "(sAMAccountName=%u)",
});
const pattern = (): Values => ({
  "auth.ldap.host": [`ldaps://${domain.address}`],
  "auth.ldap.ca": domain.ca,
  "auth.ldap.userbindpattern": `%u@${AD_REALM}`,
});
const ask = (values: Values, login = "ann", password: string = AD_PASSWORD) =>
  askDirectoryOf(values, login, password);

describe.skipIf(!isLong)("an Active Directory (long form: set QVD_TEST_LONG=1)", () => {
  describe("somebody of the domain is proved", () => {
    const ways: [what: string, change: () => Values][] = [
      ["by a search from the domain's root, whose referrals are not followed", search],
      ["over StartTLS", () => ({ ...search(), "auth.ldap.host": [`ldap://${domain.address}`] })],
      ["as who they are at the domain", pattern],
      [
        "by the global catalogue",
        () => ({ ...search(), "auth.ldap.host": [`ldaps://${domain.address}:3269`] }),
      ],
      [
        "searched for as themselves",
        () => ({ ...search(), "auth.ldap.binddn": `%u@${AD_REALM}`, bindpass: undefined }),
      ],
      [
        "by the name that they sign in with elsewhere",
        () => ({ ...search(), "auth.ldap.filter": `(userPrincipalName=%u@${AD_REALM})` }),
      ],
    ];
    for (const [what, values] of ways)
      test(what, async () =>
        expect(await ask(values())).toMatchObject({ outcome: "proved", name: { login: "ann" } }),
      );

    test("with what their entry says of them, by a filter of two names", async () => {
      const named = { ...search(), "auth.ldap.filter": "(|(sAMAccountName=%u)(userPrincipalName=%u))" };
      expect(await ask(named)).toMatchObject({ outcome: "proved", fullName: "ann Ford" });
    });

    test("never without a password, which the domain would take for nobody's", async () => {
      expect(await ask(pattern(), "ann", "")).toEqual({ outcome: "denied" });
    });

    test("only over an encrypted line: the domain refuses others, and no password is sent", async () => {
      const clear = {
        ...search(),
        "auth.ldap.host": [`ldap://${domain.address}`],
        "auth.ldap.starttls": false,
      };
      expect((await ask({ ...clear, "auth.ldap.plaintext": true })).outcome).toBe("unavailable");
      expect((await ask(clear)).outcome).toBe("unavailable");
    });

    test("only by a controller whose certificate the site's authority signed", async () => {
      expect((await ask({ ...search(), "auth.ldap.ca": undefined })).outcome).toBe("unavailable");
    });
  });

  describe("groups of the domain", () => {
    const nested = "(member:1.2.840.113556.1.4.1941:=%d)";
    const needs = (group: string, more: Values = {}) => ({
      ...search(),
      "auth.ldap.groups.required": [group],
      ...more,
    });
    const within = { "auth.ldap.groups.base": AD_BASE, "auth.ldap.groups.filter": nested };

    test("are those of the entry, without those around them", async () => {
      expect(await ask(needs("staff"))).toMatchObject({ outcome: "proved", groups: ["staff"] });
      expect((await ask(needs("company"))).outcome).toBe("denied");
    });

    test("are those around them, too, where they are searched for by the chain", async () => {
      const found = await ask(needs("company", within));
      expect(found).toMatchObject({ outcome: "proved" });
      expect("groups" in found ? [...(found.groups ?? [])].sort() : []).toEqual(["company", "staff"]);
    });

    test("keep out whoever is in none", async () => {
      expect((await ask(needs("company", within), "bob")).outcome).toBe("denied");
      expect((await ask(needs("night shift", within))).outcome).toBe("denied");
    });

    test("are asked of those who are bound by their name at the domain", async () => {
      const values = { ...needs("company", within), ...pattern() };
      expect((await ask(values)).outcome).toBe("proved");
      expect((await ask(values, "bob")).outcome).toBe("denied");
    });
  });

  describe("whoever the domain refuses is refused, and administrators learn why", () => {
    async function whyDenied(values: Values, login: string, password: string): Promise<string> {
      const settings = settingsOf(values);
      const [server] = settings.servers;
      if (server === undefined) throw new Error("no server is set");
      const signal = AbortSignal.timeout(20_000);
      const session = await openSession(server, { signal, systemAuthorities: "" });
      const found = await proveInDirectory(session, settings, { login, password }).finally(() =>
        session.close(),
      );
      return found.outcome === "denied" ? found.why : found.outcome;
    }
    const refused: [what: string, login: string, password: string, why: RegExp][] = [
      ["a wrong password", "bob", "wrong", /the password is wrong .*data 52e/],
      ["a disabled account", "dora", AD_PASSWORD, /the account is disabled .*data 533/],
      ["an account that expired", "fred", AD_PASSWORD, /the account has expired .*data 701/],
      [
        "a password that must be changed",
        "eve",
        AD_PASSWORD,
        /must be changed at the next sign-in.*data 773/,
      ],
    ];
    for (const [what, login, password, why] of refused)
      test(what, async () => {
        expect(await whyDenied(search(), login, password)).toMatch(why);
        expect(await whyDenied(pattern(), login, password)).toMatch(why);
        expect(await ask(search(), login, password)).toEqual({ outcome: "denied" });
      });

    test("an account that is locked", async () => {
      for (let tries = 0; tries < 3; tries++) await whyDenied(pattern(), "lock", `wrong ${tries}`);
      expect(await whyDenied(search(), "lock", AD_PASSWORD)).toMatch(/the account is locked.*data 775/);
    });

    test("one who isn't there", async () => {
      expect(await whyDenied(search(), "nobody", "x")).toContain("no entry below");
    });

    test("the test of the directory tells of the searcher's refusal in words", async () => {
      const { values, secretKey } = resolveSettings({ ...search(), bindpass: "wrong" });
      const asked = { login: "ann", signal: AbortSignal.timeout(20_000) };
      const [tested] = await testDirectory({ secretKey, systemAuthorities: "" }, values, asked);
      expect(tested?.steps.at(-1)).toMatchObject({ isGood: false });
      expect(tested?.steps.at(-1)?.text).toContain("the password is wrong");
    });
  });
});

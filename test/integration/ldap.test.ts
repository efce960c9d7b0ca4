/** People of a directory, against a real OpenLDAP server: every way to ask it, and who is refused. */

import { describe, expect, test } from "bun:test";
import { waitFor } from "../../src/lib/wait.ts";
import { DIRECTORY_BASE, DIRECTORY_PASSWORD } from "../support/directory-server.ts";
import {
  askDirectoryOf,
  createTestAuthenticator,
  patternSettings,
  searchSettings,
  type Values,
} from "../support/ldap-asker.ts";
import { useDirectory } from "../support/use-directory.ts";

const directory = useDirectory();

const PROVED = { outcome: "proved", name: { login: "ann", tenant: "default" } };

/** Waits until all that the server has said so far is read: until a mark of ours stands at the end. */
async function readLog(): Promise<void> {
  const mark = `mark-${crypto.randomUUID()}`;
  await askDirectoryOf(patternSettings(directory()), mark, "none");
  const isRead = () => directory().log().includes(mark);
  expect(await waitFor(isRead, { timeoutMs: 15_000, everyMs: 5 })).toBe(true);
}

describe("whoever has the right password is proved", () => {
  const ways: [name: string, change: () => Values][] = [
    ["over ldaps by name", () => ({})],
    ["over ldaps by address", () => ({ "auth.ldap.host": [`ldaps://127.0.0.1:${directory().tlsPort}`] })],
    ["over StartTLS by name", () => ({ "auth.ldap.host": [`ldap://localhost:${directory().port}`] })],
    ["over StartTLS by address", () => ({ "auth.ldap.host": [`127.0.0.1:${directory().port}`] })],
    [
      "in the clear where that is allowed",
      () => ({
        "auth.ldap.host": [`localhost:${directory().port}`],
        "auth.ldap.starttls": false,
        "auth.ldap.plaintext": true,
      }),
    ],
    ["searched for by nobody", () => ({ "auth.ldap.binddn": "" })],
    [
      "searched for as themselves",
      () => ({ "auth.ldap.binddn": `uid=%u,ou=people,${DIRECTORY_BASE}`, bindpass: undefined }),
    ],
    ["by another filter", () => ({ "auth.ldap.filter": "(mail=%u@example.org)" })],
    [
      "of several filters",
      () => ({ "auth.ldap.filter": "(&(objectClass=inetOrgPerson)(|(uid=%u)(mail=%u)))" }),
    ],
    [
      "at the base itself",
      () => ({ "auth.ldap.base": `uid=%u,ou=people,${DIRECTORY_BASE}`, "auth.ldap.scope": "base" }),
    ],
    [
      "one below the base",
      () => ({ "auth.ldap.base": `ou=people,${DIRECTORY_BASE}`, "auth.ldap.scope": "one" }),
    ],
  ];
  for (const [name, change] of ways)
    test(name, async () =>
      expect(await askDirectoryOf({ ...searchSettings(directory()), ...change() })).toMatchObject(PROVED),
    );

  test("by a pattern, with no attribute read", async () => {
    expect(await askDirectoryOf(patternSettings(directory()))).toEqual({
      ...PROVED,
      fullName: "",
      groups: [],
      parameters: {},
    } as never);
  });

  test("by the search where the pattern fails", async () => {
    const values = {
      ...searchSettings(directory()),
      "auth.ldap.userbindpattern": `uid=%u,ou=closed,${DIRECTORY_BASE}`,
    };
    expect(await askDirectoryOf(values)).toMatchObject({ ...PROVED, fullName: "Ann Ford" });
  });

  test("with what the entry says of them", async () => {
    expect(
      await askDirectoryOf({ ...searchSettings(directory()), "auth.ldap.home.set": true }),
    ).toMatchObject({
      fullName: "Ann Ford",
      parameters: {
        "qvd.vm.user.uid": "20001",
        "qvd.vm.user.gid": "20002",
        "qvd.vm.user.ldap.name": "ann",
        "qvd.vm.user.ldap.home": "/home/somewhere",
        "qvd.vm.user.home": "/home/somewhere",
      },
    });
  });

  test("as the user that the entry names, where names are normalised", async () => {
    const mail = { ...searchSettings(directory()), "auth.ldap.filter": "(mail=%u)" };
    const login = "ann@example.org";
    expect(await askDirectoryOf(mail, login)).toMatchObject({ name: { login } });
    expect(await askDirectoryOf({ ...mail, "auth.ldap.name.normalize": true }, login)).toMatchObject(PROVED);
  });

  for (const login of ["josé", "o'hara*", "a,b+c=d", "pa(ren)s"]) {
    test(`who is called ${login}, searched for`, async () =>
      expect(await askDirectoryOf(searchSettings(directory()), login)).toMatchObject({
        outcome: "proved",
        name: { login },
      }));
    test(`who is called ${login}, by pattern`, async () =>
      expect(await askDirectoryOf(patternSettings(directory()), login)).toMatchObject({
        outcome: "proved",
        name: { login },
      }));
  }
});

describe("nobody else is", () => {
  const strangers: [login: string, password: string, why: string][] = [
    ["ann", "wrong", "a wrong password"],
    ["ann", `${DIRECTORY_PASSWORD} `, "almost the password"],
    ["nobody", DIRECTORY_PASSWORD, "an unknown name"],
    ["*", DIRECTORY_PASSWORD, "a wildcard"],
    ["a*", DIRECTORY_PASSWORD, "a wildcard at the end"],
    ["ann)(uid=*", DIRECTORY_PASSWORD, "a filter for a name"],
    ["x)(|(uid=ann", DIRECTORY_PASSWORD, "another filter"],
    ["ann,ou=people", DIRECTORY_PASSWORD, "half a DN"],
    ["twin", DIRECTORY_PASSWORD, "a name that two entries have"],
    ["ａnn", DIRECTORY_PASSWORD, "a name that the directory takes for another"],
  ];
  for (const [login, password, why] of strangers) {
    test(`${why}, searched for`, async () =>
      expect(await askDirectoryOf(searchSettings(directory()), login, password)).toEqual({
        outcome: "denied",
      }));
    test(`${why}, by pattern`, async () =>
      expect(await askDirectoryOf(patternSettings(directory()), login, password)).toEqual({
        outcome: "denied",
      }));
  }

  test("an unknown name of whom the base is made, which is no fault of the directory's", async () => {
    const base = `uid=%u,ou=people,${DIRECTORY_BASE}`;
    const values = {
      ...searchSettings(directory()),
      "auth.ldap.base": base,
      "auth.ldap.scope": "base" as const,
    };
    expect(await askDirectoryOf(values, "nobody", DIRECTORY_PASSWORD)).toEqual({ outcome: "denied" });
  });

  test("an empty password never reaches the directory, which would accept it", async () => {
    await readLog();
    const before = directory().count(/ BIND /);
    for (const values of [searchSettings(directory()), patternSettings(directory())])
      expect(await askDirectoryOf(values, "ann", "")).toEqual({ outcome: "denied" });
    // The one bind since is the mark's.
    await readLog();
    expect(directory().count(/ BIND /)).toBe(before + 1);
  });

  test("an unknown name takes the directory as many questions as a wrong password", async () => {
    // The server's log comes late and mixed, so a connection is known by what was searched for on it.
    const questionsOf = async (login: string) => {
      await askDirectoryOf(searchSettings(directory()), login, `wrong ${login}`);
      const find = () =>
        directory()
          .log()
          .match(new RegExp(`conn=(\\d+) op=\\d+ SRCH base=[^\n]*filter="\\(uid=${login}\\)"`))?.[1];
      const isDone = () => directory().count(new RegExp(`conn=${find()} fd=\\d+ closed`)) > 0;
      expect(await waitFor(isDone, { timeoutMs: 15_000, everyMs: 5 })).toBe(true);
      return directory().count(new RegExp(`conn=${find()} .*(BIND .*method=128|SRCH base)`));
    };
    // Neither is asked for by another test.
    expect([await questionsOf("hidden"), await questionsOf("unheard-of")]).toEqual([3, 3]);
  });

  test("the same wrong password is put to the directory once, since clients repeat it", async () => {
    const authenticator = createTestAuthenticator();
    await readLog();
    const before = directory().count(/ BIND dn.*method=128/);
    for (let tries = 0; tries < 5; tries++)
      expect(await askDirectoryOf(patternSettings(directory()), "ann", "typed wrong", authenticator)).toEqual(
        {
          outcome: "denied",
        },
      );
    expect(
      await askDirectoryOf(patternSettings(directory()), "ann", DIRECTORY_PASSWORD, authenticator),
    ).toMatchObject(PROVED);
    await readLog();
    // The wrong one, the right one, and the mark's.
    expect(directory().count(/ BIND dn.*method=128/) - before).toBe(3);
  });
});

describe("groups", () => {
  const searched = (required: string) => ({
    ...searchSettings(directory()),
    "auth.ldap.groups.base": `ou=groups,${DIRECTORY_BASE}`,
    "auth.ldap.groups.required": [required],
  });
  test("let in who is in one of those that are needed, and nobody else", async () => {
    expect(await askDirectoryOf(searched("Staff"))).toMatchObject({ ...PROVED, groups: ["staff"] });
    expect(await askDirectoryOf(searched("staff"), "bob")).toEqual({ outcome: "denied" });
    expect(await askDirectoryOf(searched("domain admins"), "bob")).toMatchObject({
      groups: ["Domain Admins"],
    });
    expect(await askDirectoryOf(searched("staff"), "josé")).toEqual({ outcome: "denied" });
  });

  test("are asked of the entry too where a pattern has proved the person", async () => {
    const values = {
      ...searched("staff"),
      "auth.ldap.userbindpattern": `uid=%u,ou=people,${DIRECTORY_BASE}`,
    };
    expect(await askDirectoryOf(values)).toMatchObject(PROVED);
    expect(await askDirectoryOf(values, "bob")).toEqual({ outcome: "denied" });
    const withoutSearch = { ...values, "auth.ldap.base": "", "auth.ldap.binddn": "", bindpass: undefined };
    expect(await askDirectoryOf(withoutSearch)).toMatchObject(PROVED);
    expect(await askDirectoryOf(withoutSearch, "bob")).toEqual({ outcome: "denied" });
  });
});

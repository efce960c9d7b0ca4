import { describe, expect, test } from "bun:test";
import { type AccountFacts, type AccountPlan, planAccount } from "./account.ts";

const facts: AccountFacts = {
  passwd:
    "root:x:0:0:root:/root:/bin/bash\ngames:x:5:60:games:/usr/games:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
  group: "root:x:0:\naudio:x:29:\nstaff:x:2050:\n",
  home: { kind: "missing" },
};
const alice = { login: "alice", uid: 2001, fullName: "Alice" };

function refusalOf(plan: AccountPlan): string {
  return plan.outcome === "refused" ? `${plan.fault}: ${plan.text}` : "accepted";
}

describe("planAccount", () => {
  test("makes group, user and home where nothing is", () => {
    expect(planAccount(alice, facts)).toEqual({
      outcome: "accepted",
      home: "/home/alice",
      gid: 2001,
      needsGroup: true,
      needsUser: true,
      needsHome: true,
    });
  });

  test("makes the account anew over the home of an earlier boot", () => {
    const plan = planAccount(alice, { ...facts, home: { kind: "folder", uid: 2001 } });
    expect(plan).toMatchObject({ outcome: "accepted", needsUser: true, needsHome: false });
  });

  test("changes nothing about an account that it made before", () => {
    const passwd = `${facts.passwd}alice:x:2001:2001:Alice:/home/alice:/bin/bash\n`;
    const group = `${facts.group}alice:x:2001:\n`;
    expect(planAccount(alice, { passwd, group, home: { kind: "folder", uid: 2001 } })).toMatchObject({
      needsGroup: false,
      needsUser: false,
      needsHome: false,
    });
  });

  test("goes on where a call before was cut short", () => {
    const group = `${facts.group}alice:x:2001:\n`;
    expect(planAccount(alice, { ...facts, group })).toMatchObject({ needsGroup: false, needsUser: true });
  });

  const refused: readonly (readonly [string, Partial<typeof alice>, Partial<AccountFacts>])[] = [
    ["root by name", { login: "root" }, {}],
    ["root by uid", { uid: 0 }, {}],
    ["a uid of the system", { uid: 999 }, {}],
    ["nobody's uid", { uid: 65534 }, {}],
    ["a uid beyond the desktop's range", { uid: 70_000 }, {}],
    ["a broken uid", { uid: 1000.5 }, {}],
    ["a uid that is no number", { uid: Number.NaN }, {}],
    ["a login of the image", { login: "games" }, {}],
    ["a group of the image", { login: "audio" }, {}],
    ["a gid of the image", { uid: 2050 }, {}],
    ["a uid of another account", {}, { passwd: `${facts.passwd}bob:x:2001:2001::/home/bob:/bin/sh\n` }],
    ["the login with another home", {}, { passwd: `${facts.passwd}alice:x:2001:2001::/srv/alice:/bin/sh\n` }],
    ["the login with another uid", {}, { passwd: `${facts.passwd}alice:x:2002:2002::/home/alice:/bin/sh\n` }],
    ["a home of somebody else", {}, { home: { kind: "folder", uid: 2002 } }],
    ["a home of root", {}, { home: { kind: "folder", uid: 0 } }],
    ["a home that is a link", {}, { home: { kind: "other" } }],
    ["an empty login", { login: "" }, {}],
    ["a login that climbs", { login: "../etc" }, {}],
    ["a login that is an option", { login: "-r" }, {}],
    ["a login with a colon", { login: "a:0" }, {}],
    ["a login with a line end", { login: "a\nb" }, {}],
    ["capitals", { login: "Alice" }, {}],
    ["a login without end", { login: "a".repeat(33) }, {}],
  ];
  for (const [what, account, found] of refused) {
    test(`refuses ${what}`, () => {
      expect(refusalOf(planAccount({ ...alice, ...account }, { ...facts, ...found }))).toStartWith(
        "account-refused: ",
      );
    });
  }
});

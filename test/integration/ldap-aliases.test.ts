/** `auth.ldap.deref`: which aliases of a directory are followed, against a real OpenLDAP server. */

import { describe, expect, test } from "bun:test";
import { DIRECTORY_BASE } from "../support/directory-server.ts";
import { askDirectoryOf, searchSettings } from "../support/ldap-asker.ts";
import { useDirectory } from "../support/use-directory.ts";

const directory = useDirectory();

const rules: readonly [deref: string, atBase: boolean, belowBase: boolean][] = [
  ["never", false, false],
  ["find", true, false],
  ["search", false, true],
  ["always", true, true],
];

describe("people behind an alias are found", () => {
  const ask = (values: object) =>
    askDirectoryOf({ ...searchSettings(directory()), ...values }).then(({ outcome }) => outcome);
  const outcome = (isFound: boolean) => (isFound ? "proved" : "denied");

  for (const [deref, atBase, belowBase] of rules) {
    test(`${deref}: ${atBase ? "where" : "not where"} the base is one`, async () => {
      const base = `ou=everybody,${DIRECTORY_BASE}`;
      expect(await ask({ "auth.ldap.base": base, "auth.ldap.deref": deref })).toBe(outcome(atBase));
    });

    test(`${deref}: ${belowBase ? "where" : "not where"} their entry is one`, async () => {
      const base = `ou=partners,${DIRECTORY_BASE}`;
      expect(await ask({ "auth.ldap.base": base, "auth.ldap.deref": deref })).toBe(outcome(belowBase));
    });
  }

  test("never is the default", async () => {
    expect(await ask({ "auth.ldap.base": `ou=everybody,${DIRECTORY_BASE}` })).toBe("denied");
  });

  test("groups too", async () => {
    const groups = { "auth.ldap.groups.required": ["staff"], "auth.ldap.groups.filter": "(cn=staff)" };
    const base = `ou=all groups,${DIRECTORY_BASE}`;
    expect(await ask({ ...groups, "auth.ldap.groups.base": base, "auth.ldap.deref": "always" })).toBe(
      "proved",
    );
    expect(await ask({ ...groups, "auth.ldap.groups.base": base, "auth.ldap.deref": "never" })).toBe(
      "denied",
    );
  });
});

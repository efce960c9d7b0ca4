import { describe, expect, test } from "bun:test";
import { type Claims, mapClaims, readMap } from "./map-claims.ts";

const SETTINGS = {
  "auth.oidc.claim.login": "preferred_username",
  "auth.oidc.domains": ["example.org"],
  "auth.oidc.claim.groups": "groups",
  "auth.oidc.groups.required": [],
  "auth.oidc.groups.tenants": ["it=internal", "cn=sales,o=x=acme"],
  "auth.oidc.groups.roles": [],
} as const;
const map = (claims: Claims, more: object = {}) => mapClaims(claims, { ...SETTINGS, ...more });

describe("a login", () => {
  const cases: [value: unknown, login: string | undefined][] = [
    ["ann", "ann"],
    [" ANN ", "ann"],
    ["ann@example.org", "ann"],
    ["ann@EXAMPLE.org", "ann"],
    ["ann@elsewhere.org", undefined],
    ["ann@x@example.org", undefined],
    ["", undefined],
    ["a b", undefined],
    ["../etc", undefined],
    ["ann#acme", undefined],
    ["ann\u0000", undefined],
    ["x".repeat(65), undefined],
    [7, undefined],
    [["ann"], undefined],
    [undefined, undefined],
  ];
  test.each(cases)("%j", (preferred_username, login) => {
    const mapped = map({ preferred_username });
    expect("fault" in mapped ? undefined : mapped.login).toBe(login);
  });
  test("that is a mail address counts when the provider has verified it", () => {
    const byMail = { "auth.oidc.claim.login": "email" };
    const email = "ann@example.org";
    expect(map({ email, email_verified: true }, byMail)).toMatchObject({ login: "ann" });
    for (const email_verified of [false, undefined, "true"])
      expect(map({ email, email_verified }, byMail)).toHaveProperty("fault");
  });
});

describe("groups", () => {
  const preferred_username = "ann";
  test("are a list, or one, also inside of something, and nothing else", () => {
    expect(map({ preferred_username, groups: ["a", 1, null, "b"] })).toMatchObject({ groups: ["a", "b"] });
    expect(map({ preferred_username, groups: "a" })).toMatchObject({ groups: ["a"] });
    expect(map({ preferred_username })).toMatchObject({ groups: [] });
    const nested = { "auth.oidc.claim.groups": "realm_access.roles" };
    expect(map({ preferred_username, realm_access: { roles: ["a"] } }, nested)).toMatchObject({
      groups: ["a"],
    });
    expect(map({ preferred_username, "realm_access.roles": ["b"] }, nested)).toMatchObject({ groups: ["b"] });
    expect(map({ preferred_username }, { "auth.oidc.claim.groups": "constructor.name" })).toMatchObject({
      groups: [],
    });
  });
  test("say who is let in", () => {
    const required = { "auth.oidc.groups.required": ["staff", "guests"] };
    expect(map({ preferred_username, groups: ["guests"] }, required)).toMatchObject({ login: "ann" });
    for (const groups of [[], ["Staff"], ["staffing"]])
      expect(map({ preferred_username, groups }, required)).toHaveProperty("fault");
  });
  test("say whose user somebody is, by the first that fits", () => {
    expect(map({ preferred_username, groups: ["cn=sales,o=x", "it"] })).toMatchObject({ tenant: "internal" });
    expect(map({ preferred_username, groups: ["cn=sales,o=x"] })).toMatchObject({ tenant: "acme" });
    expect(map({ preferred_username, groups: ["other"] })).toMatchObject({ tenant: undefined });
  });
  test("say an administrator's roles, none too, and nothing where none are mapped", () => {
    const roles = { "auth.oidc.groups.roles": ["a=administrator", "b=operator", "c=operator"] };
    expect(map({ preferred_username, groups: ["b", "c"] }, roles)).toMatchObject({ roles: ["operator"] });
    expect(map({ preferred_username, groups: ["x"] }, roles)).toMatchObject({ roles: [] });
    expect(map({ preferred_username, groups: ["a"] })).toMatchObject({ roles: undefined });
  });
});

test("a map's words that are none are passed over", () => {
  expect(readMap(["a=b", "=b", "a=", "ab", " x = y "])).toEqual([
    ["a", "b"],
    ["x", "y"],
  ]);
});

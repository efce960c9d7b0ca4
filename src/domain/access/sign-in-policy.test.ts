import { describe, expect, test } from "bun:test";
import { isInAddressRange, parseAddressRange } from "./address-range.ts";
import { decideSignIn, parseSignInPolicy, type SignInFacts } from "./sign-in-policy.ts";

const FACTS: SignInFacts = { by: "ldap", login: "ann", groups: [], properties: {}, origin: "192.0.2.7" };

function decide(text: string, facts: Partial<SignInFacts> = {}): string {
  const rules = parseSignInPolicy(text);
  if (typeof rules === "string") return rules;
  const { isAllowed, needsSecondFactor } = decideSignIn(rules, { ...FACTS, ...facts });
  return `${isAllowed ? "allowed" : "denied"}${needsSecondFactor ? " with a second factor" : ""}`;
}

describe("a policy", () => {
  const local = "allow by=local property=sign-in:local\ndeny by=local";
  const cases: [text: string, facts: Partial<SignInFacts>, expected: string][] = [
    ["", {}, "allowed"],
    ["# nothing\n\n", {}, "allowed"],
    ["deny", {}, "denied"],
    ["allow\ndeny", {}, "allowed"],
    [local, { by: "local" }, "denied"],
    [local, { by: "local", properties: { "sign-in": "local" } }, "allowed"],
    [local, { by: "local", properties: { "sign-in": "Local" } }, "denied"],
    [local, {}, "allowed"],
    ["deny by=default", { by: "local" }, "denied"],
    ['deny group="Domain Guests",x', { groups: ["domain guests"] }, "denied"],
    ['deny group="Domain Guests",x', { groups: ["domain"] }, "allowed"],
    ["deny user=Ann", {}, "denied"],
    ["allow from=10.0.0.0/8\ndeny by=ldap", {}, "denied"],
    ["allow from=10.0.0.0/8,192.0.2.0/24\ndeny", {}, "allowed"],
    ["second-factor group=finance", { groups: ["finance"] }, "allowed with a second factor"],
    ["second-factor group=finance", {}, "allowed"],
    ["allow user=ann\nsecond-factor", {}, "allowed with a second factor"],
    ["deny user=ann from=10.0.0.0/8", {}, "allowed"],
    ["deny property=a:b:c", { properties: { a: "b:c" } }, "denied"],
    ["forbid", {}, "has a fault in line 1: it must begin with allow, deny or second-factor"],
    ["allow\ndeny group", {}, 'has a fault in line 2: "group" is not NAME=VALUE'],
    [
      "deny color=red",
      {},
      "has a fault in line 1: there is no condition color; there are by, user, group, property and from",
    ],
    ["deny from=10.0.0.0/33", {}, 'has a fault in line 1: "10.0.0.0/33" is no address or range'],
    ["deny property=a", {}, "has a fault in line 1: property needs NAME:VALUE"],
    ["deny\n".repeat(101), {}, "may have at most 100 rules"],
  ];
  for (const [text, facts, expected] of cases)
    test(`${JSON.stringify(text.slice(0, 60))} for ${JSON.stringify(facts)}: ${expected}`, () =>
      expect(decide(text, facts)).toBe(expected));

  test("denies or allows by one rule alone, whatever stands below", () => {
    expect(decide("deny user=ann\nallow user=ann\nsecond-factor user=bob")).toBe("denied");
  });
});

describe("a range of addresses", () => {
  const cases: [range: string, address: string, isIn: boolean][] = [
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::1", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["192.0.2.0/24", "::ffff:192.0.2.1", true],
    ["192.0.2.0/24", "unknown", false],
  ];
  for (const [text, address, isIn] of cases)
    test(`${text} ${isIn ? "has" : "lacks"} ${address}`, () => {
      const range = parseAddressRange(text);
      expect(range !== undefined && isInAddressRange(address, range)).toBe(isIn);
    });

  for (const text of ["", "here", "10.0.0.0/", "10.0.0/8", "10.0.0.0/8/8", "::/129", "fe80::1%eth0/64"])
    test(`${JSON.stringify(text)} is none`, () => expect(parseAddressRange(text)).toBeUndefined());
});

import { expect, test } from "bun:test";
import { SITE, settingValues } from "../../domain/setting/resolve.ts";
import { planChain } from "./plan-chain.ts";

function plan(values: Readonly<Record<string, readonly string[]>>, kind: "user" | "administrator" = "user") {
  const rows = Object.entries(values).map(([name, value]) => ({ tenantId: SITE, name, value }));
  return planChain(kind, settingValues(rows));
}

test("a chain is head, tenant's and tail in this order, each part once", () => {
  expect(plan({})).toEqual(["local", "totp"]);
  const values = {
    "l7r.auth.plugins.head": ["ldap"],
    "l7r.auth.plugins": ["auto", "ldap", "local"],
    "l7r.auth.plugins.tail": ["default", "ldap"],
  };
  expect(plan(values)).toEqual(["ldap", "auto", "local", "totp"]);
});

test("a tail without default asks no local password of people", () => {
  expect(plan({ "l7r.auth.plugins": ["ldap"], "l7r.auth.plugins.tail": [] })).not.toContain("local");
});

test("an administrator's chain ends with their own password, whatever is set for people", () => {
  const values = { "l7r.auth.plugins": ["ldap"], "l7r.auth.plugins.tail": [] };
  expect(plan(values, "administrator")).toEqual(["local", "totp"]);
  const own = { ...values, "auth.administrators.plugins": ["ldap"] };
  expect(plan(own, "administrator")).toEqual(["ldap", "local", "totp"]);
});

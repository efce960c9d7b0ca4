import { describe, expect, test } from "bun:test";
import { asId, type TenantId } from "../ids.ts";
import { formatSettingValue, parseSettingText, readStoredValue } from "./parse-value.ts";
import { isSettingName, SETTING_NAMES, specOf } from "./registry.ts";
import { resolveSettings, SITE, type StoredSetting, settingValues } from "./resolve.ts";
import { secretUse } from "./secret-use.ts";

const SALES = asId<TenantId>(7);
const row = (tenantId: TenantId, name: string, value: unknown): StoredSetting => ({ tenantId, name, value });
const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

describe("the table of settings", () => {
  test("has a default of its own kind for each, in bounds", () => {
    for (const name of SETTING_NAMES) {
      const spec = specOf(name);
      if (spec.kind === "secret") continue;
      expect({ name, ...parseSettingText(spec, formatSettingValue(spec.default)) }).toEqual({
        name,
        value: spec.default,
      });
    }
  });

  test("says of each what it means, as a sentence", () => {
    for (const name of SETTING_NAMES)
      expect(`${name}: ${specOf(name).doc}`).toMatch(/: [A-Za-z][\s\S]{20,}[.)]$/);
  });

  test("binds secrets to settings that there are", () => {
    for (const name of SETTING_NAMES) {
      const spec = specOf(name);
      if (spec.kind === "secret") expect(spec.boundTo.filter((one) => !isSettingName(one))).toEqual([]);
    }
  });
});

describe("a value that is typed", () => {
  const cases: [name: string, text: string, expected: unknown][] = [
    ["l7r.auth.plugins", "auto, ldap", ["auto", "ldap"]],
    ["l7r.auth.plugins", "", []],
    ["l7r.auth.plugins", "ldap,sorcery", "must not have"],
    ["auth.ldap.host", "ldaps://a , b:636,", ["ldaps://a", "b:636"]],
    ["auth.ldap.host", "a\nb", ["a\nb"]],
    ["auth.auto.max_vms", " 7 ", 7],
    ["auth.auto.max_vms", "0", "whole number from 1 to 100"],
    ["auth.auto.max_vms", "7.5", "whole number"],
    ["auth.auto.max_vms", "many", "whole number"],
    ["auth.ldap.starttls", "1", true],
    ["auth.ldap.starttls", "Off", false],
    ["auth.ldap.starttls", "maybe", "on or off"],
    ["auth.ldap.scope", "sub", "sub"],
    ["auth.ldap.scope", "tree", "one of base, one, sub"],
    ["auth.ldap.filter", " (uid=%u) ", "(uid=%u)"],
    ["auth.ldap.filter", "a\nb", "on one line"],
    ["auth.ldap.filter", "x".repeat(5_000), "at most 4096"],
    ["auth.ldap.ca", CA.replaceAll("\n", "\r\n"), CA],
    ["auth.ldap.ca", "not a certificate", "PEM"],
    ["auth.ldap.racf_allowregex", "(", "regular expression"],
    ["l7r.auth.plugin.default.separators", "@ ", "@"],
    ["l7r.auth.plugin.default.separators", "ab", "1 to 8"],
    ["auth.policy", "deny by=local\nallow\n", "deny by=local\nallow\n"],
    ["auth.policy", "deny by=local\nforbid", "line 2"],
  ];
  for (const [name, text, expected] of cases)
    test(`${name} = ${JSON.stringify(text.slice(0, 40))}`, () => {
      if (!isSettingName(name)) throw new Error(`no setting ${name}`);
      const parsed = parseSettingText(specOf(name), text);
      if ("fault" in parsed) expect(parsed.fault).toContain(String(expected));
      else expect(parsed.value).toEqual(expected as never);
    });
});

describe("what holds", () => {
  const rows = [
    row(SITE, "auth.auto.max_vms", 7),
    row(SITE, "auth.auto.di_tag", "stable"),
    row(SALES, "auth.auto.di_tag", "next"),
    row(SALES, "l7r.auth.plugins.tail", ["ldap"]),
    row(asId<TenantId>(8), "auth.auto.max_vms", 9),
    row(SALES, "of.another.version", true),
    row(SALES, "auth.ldap.scope", "tree"),
  ];
  const of = (tenantId: TenantId, name: string) =>
    resolveSettings(rows, tenantId).find((setting) => setting.name === name);

  test("is the tenant's value over the site's over the default", () => {
    expect(of(SALES, "auth.auto.di_tag")).toMatchObject({ value: "next", source: "tenant" });
    expect(of(SITE, "auth.auto.di_tag")).toMatchObject({ value: "stable", source: "site" });
    expect(of(SALES, "auth.auto.max_vms")).toMatchObject({ value: 7, source: "site" });
    expect(of(SALES, "auth.ldap.filter")).toMatchObject({ value: "(uid=%u)", source: "default" });
  });

  test("is the site's where a tenant can't have its own", () => {
    expect(of(SALES, "l7r.auth.plugins.tail")).toMatchObject({ value: ["default"], source: "default" });
  });

  test("is the default where the database holds what this version can't read", () => {
    expect(of(SALES, "auth.ldap.scope")).toMatchObject({ value: "base", source: "default" });
    expect(readStoredValue("of.another.version", true)).toBeUndefined();
    expect(readStoredValue("auth.ldap.bindpass", "plain")).toBeUndefined();
  });

  test("reads what QVD 4's table held as text", () => {
    const old = [row(SITE, "auth.ldap.starttls", "0"), row(SITE, "l7r.auth.plugins", "auto,ldap")];
    const values = settingValues(old);
    expect(values["auth.ldap.starttls"]).toBe(false);
    expect(values["l7r.auth.plugins"]).toEqual(["auto", "ldap"]);
  });
});

test("a secret is bound to where it goes, as that holds for its tenant", () => {
  const rows = [row(SITE, "auth.ldap.host", ["ldaps://a", "ldaps://b"])];
  expect(secretUse("auth.ldap.bindpass", settingValues(rows, SALES))).toEqual({
    name: "auth.ldap.bindpass",
    bound: {
      "auth.ldap.host": "ldaps://a, ldaps://b",
      "auth.ldap.starttls": "on",
      "auth.ldap.plaintext": "off",
      "auth.ldap.ca": "",
    },
  });
});

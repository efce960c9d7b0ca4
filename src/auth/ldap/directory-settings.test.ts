import { describe, expect, test } from "bun:test";
import nacl from "tweetnacl";
import { SITE, settingValues } from "../../domain/setting/resolve.ts";
import { secretUse } from "../../domain/setting/secret-use.ts";
import { sealSecret } from "../../wire/setting/sealed-secret.ts";
import { readDirectorySettings } from "./directory-settings.ts";

const keys = nacl.box.keyPair();

function read(values: Readonly<Record<string, unknown>>, key: Uint8Array | undefined = keys.secretKey) {
  const given = { "auth.ldap.base": "dc=x", ...values };
  const rows = Object.entries(given).map(([name, value]) => ({ tenantId: SITE, name, value }));
  return readDirectorySettings(settingValues(rows), key);
}

describe("servers", () => {
  const cases: [host: string, expected: unknown][] = [
    ["ldaps://dc1.example.org", { host: "dc1.example.org", port: 636, encryption: "tls" }],
    ["LDAPS://dc1:1636/", { host: "dc1", port: 1636, encryption: "tls" }],
    ["ldap://dc1", { host: "dc1", port: 389, encryption: "starttls" }],
    ["dc1", { host: "dc1", port: 389, encryption: "starttls" }],
    ["[2001:db8::1]:390", { host: "2001:db8::1", port: 390, encryption: "starttls" }],
  ];
  for (const [host, expected] of cases)
    test(`${host} is understood`, () =>
      expect(read({ "auth.ldap.host": [host] })).toMatchObject({ servers: [expected as never] }));

  for (const host of ["http://dc1", "ldap://dc1/dc=x", "dc1:0x10", "dc1:99999", "a b", "ldapi:///socket"])
    test(`${host} is refused by name`, () =>
      expect(read({ "auth.ldap.host": [host] })).toEqual({ fault: expect.stringContaining(host) }));

  test("keep their order", () =>
    expect(read({ "auth.ldap.host": ["ldaps://b", "ldaps://a"] })).toMatchObject({
      servers: [{ host: "b" }, { host: "a" }],
    }));

  test("get no password in the clear unless the site says so", () => {
    const plain = { "auth.ldap.host": ["ldap://dc1"], "auth.ldap.starttls": false };
    expect(read(plain)).toEqual({ fault: expect.stringContaining("in the clear") });
    expect(read({ ...plain, "auth.ldap.plaintext": true })).toMatchObject({
      servers: [{ encryption: "none" }],
    });
  });
});

describe("what is missing", () => {
  test("is named", () => {
    expect(read({})).toEqual({ fault: expect.stringContaining("auth.ldap.host") });
    expect(read({ "auth.ldap.host": ["a"], "auth.ldap.base": "" })).toEqual({
      fault: expect.stringContaining("auth.ldap.base"),
    });
  });
});

describe("the password of who searches", () => {
  const host = { "auth.ldap.host": ["ldaps://a"] };
  const values = settingValues([{ tenantId: SITE, name: "auth.ldap.host", value: ["ldaps://a"] }]);
  const bindpass = sealSecret(keys.publicKey, secretUse("auth.ldap.bindpass", values), "s3cret");

  test("is opened, and undefined where there is none", () => {
    expect(read({ ...host, "auth.ldap.bindpass": bindpass })).toMatchObject({ bindPassword: "s3cret" });
    expect(read(host)).toMatchObject({ bindPassword: undefined });
  });

  test("goes to no other server, and not to the same one without encryption or under another authority", () => {
    const others = [
      { "auth.ldap.host": ["ldaps://mine"] },
      { ...host, "auth.ldap.starttls": false },
      { ...host, "auth.ldap.plaintext": true },
      { ...host, "auth.ldap.ca": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----" },
    ];
    for (const other of others)
      expect(read({ ...other, "auth.ldap.bindpass": bindpass })).toEqual({
        fault: expect.stringContaining("was set for another value of"),
      });
  });

  test("can't be opened without the box's key, and the fault says so", () => {
    const closed = readDirectorySettings(
      settingValues([
        { tenantId: SITE, name: "auth.ldap.host", value: ["ldaps://a"] },
        { tenantId: SITE, name: "auth.ldap.base", value: "dc=x" },
        { tenantId: SITE, name: "auth.ldap.bindpass", value: bindpass },
      ]),
      undefined,
    );
    expect(closed).toEqual({ fault: expect.stringContaining("settings.key") });
  });
});

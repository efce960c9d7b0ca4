import { describe, expect, test } from "bun:test";
import nacl from "tweetnacl";
import { openSecret, sealSecret } from "./sealed-secret.ts";

const own = nacl.box.keyPair();
const use = { name: "auth.ldap.bindpass", bound: { "auth.ldap.host": "ldaps://a" } };
const sealed = sealSecret(own.publicKey, use, "s3cret");

describe("a sealed secret", () => {
  test("opens with the secret half of the key, for its own use", () => {
    expect(openSecret(own.secretKey, use, sealed)).toBe("s3cret");
  });

  test("shows nothing, and never looks the same", () => {
    expect(Buffer.from(sealed.sealed, "base64").toString("latin1")).not.toContain("s3cret");
    expect(sealSecret(own.publicKey, use, "s3cret")).not.toEqual(sealed);
  });

  test("does not open with the public half, or another box's key", () => {
    expect(() => openSecret(own.publicKey, use, sealed)).toThrow("key of another box");
    expect(() => openSecret(nacl.box.keyPair().secretKey, use, sealed)).toThrow("key of another box");
  });

  test("does not open under another name, or once a setting that it is bound to has changed", () => {
    expect(() => openSecret(own.secretKey, { ...use, name: "other" }, sealed)).toThrow("set it again");
    const elsewhere = { ...use, bound: { "auth.ldap.host": "ldaps://mine" } };
    expect(() => openSecret(own.secretKey, elsewhere, sealed)).toThrow("another value of auth.ldap.host");
    const more = { ...use, bound: { ...use.bound, "auth.ldap.ca": "mine" } };
    expect(() => openSecret(own.secretKey, more, sealed)).toThrow("another value of auth.ldap.ca");
  });

  test("does not open when any byte of it was changed, or some are missing", () => {
    const bytes = Buffer.from(sealed.sealed, "base64");
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openSecret(own.secretKey, use, { sealed: changed.toString("base64") })).toThrow();
      const short = { sealed: bytes.subarray(0, at).toString("base64") };
      expect(() => openSecret(own.secretKey, use, short)).toThrow("auth.ldap.bindpass");
    }
  });
});

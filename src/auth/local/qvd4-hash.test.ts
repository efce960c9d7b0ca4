import { describe, expect, test } from "bun:test";
import { isQvd4Hash, verifyQvd4Password } from "./qvd4-hash.ts";

/** Of the original's own reference. */
const SECRET = "gF7cemH4TAk9hgXhfRbmGsabY4w5p4fdOGj2A4/hK/w";

describe("a hash of QVD 4", () => {
  test("is known by its form", () => {
    expect(isQvd4Hash(SECRET)).toBe(true);
    for (const other of ["", `${SECRET}=`, SECRET.slice(1), "$argon2id$v=19$m=47104,t=1,p=1$x$y"])
      expect(isQvd4Hash(other)).toBe(false);
  });

  test("matches its password and salt, and nothing else", () => {
    expect(verifyQvd4Password("secret", SECRET, "qvd1234")).toBe(true);
    expect(verifyQvd4Password("Secret", SECRET, "qvd1234")).toBe(false);
    expect(verifyQvd4Password("secret", SECRET, "other")).toBe(false);
    expect(verifyQvd4Password("", SECRET, "qvd1234")).toBe(false);
  });
});

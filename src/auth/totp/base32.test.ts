import { expect, test } from "bun:test";
import { formatBase32, parseBase32 } from "./base32.ts";

/** RFC 4648, section 10. */
const VECTORS: [text: string, base32: string][] = [
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
];

test.each(VECTORS)("%s is %s", (text, base32) => {
  expect(formatBase32(Buffer.from(text))).toBe(base32);
  expect(Buffer.from(parseBase32(base32) ?? []).toString()).toBe(text);
});

test("is read as people type it, and not where it is something else", () => {
  expect(Buffer.from(parseBase32("mzxw 6ytb-oi======") ?? []).toString()).toBe("foobar");
  for (const text of ["", "MZXW1", "é"]) expect(parseBase32(text)).toBeUndefined();
});

test("any bytes come back", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  expect(parseBase32(formatBase32(bytes))).toEqual(bytes);
});

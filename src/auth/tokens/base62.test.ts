import { expect, test } from "bun:test";
import { formatBase62 } from "./base62.ts";

test.each([
  [0x00, "00"],
  [0x0a, "0A"],
  [0x3d, "0z"],
  [0x3e, "10"],
  [0xff, "47"],
])("%i is %s", (byte, text) => expect(formatBase62(Uint8Array.of(byte))).toBe(text));

test("of 256 bits has 43 characters, as QVD's tokens", () => {
  expect(formatBase62(new Uint8Array(32).fill(255))).toMatch(/^[0-9A-Za-z]{43}$/);
  expect(formatBase62(new Uint8Array(32))).toBe("0".repeat(43));
  expect(formatBase62(crypto.getRandomValues(new Uint8Array(32)))).toHaveLength(43);
});

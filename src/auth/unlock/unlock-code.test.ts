import { expect, test } from "bun:test";
import { hashUnlockCode, makeUnlockCode } from "./unlock-code.ts";

test("is short, differs, and is known again as people type it", () => {
  const codes = Array.from({ length: 100 }, () =>
    makeUnlockCode(() => crypto.getRandomValues(new Uint8Array(1))[0] ?? 0),
  );
  expect(new Set(codes).size).toBe(100);
  for (const code of codes) {
    expect(code).toMatch(/^[a-hjkmnp-tv-z2-9]{8}$/);
    expect(hashUnlockCode(` ${code.toUpperCase()} `)).toEqual(hashUnlockCode(code) as Uint8Array);
  }
});

test.each(["", "abcdefg", "abcdefghj", "password", "pass word1", "\u0000"])("%j is one or none", (text) =>
  expect(hashUnlockCode(text) === undefined).toBe(text !== "password"),
);

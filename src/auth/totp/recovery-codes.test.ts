import { expect, test } from "bun:test";
import { hashRecoveryCode, makeRecoveryCode } from "./recovery-codes.ts";

const randomByte = () => crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;

test("look alike, differ, and are found again however they are typed", () => {
  const codes = Array.from({ length: 200 }, () => makeRecoveryCode(randomByte));
  expect(new Set(codes).size).toBe(200);
  for (const code of codes) {
    expect(code).toMatch(/^[a-hjkmnp-tv-z2-9]{5}-[a-hjkmnp-tv-z2-9]{5}$/);
    const typed = ` ${code.toUpperCase().replace("-", " ")} `;
    expect(hashRecoveryCode(typed)).toEqual(hashRecoveryCode(code) as Uint8Array);
  }
});

test("a byte that would favour some letters is drawn again", () => {
  const bytes = [255, 240, ...Array.from({ length: 10 }, () => 0)];
  expect(makeRecoveryCode(() => bytes.shift() ?? 0)).toBe("aaaaa-aaaaa");
});

test.each(["", "123456", "abcde-fghj", "abcde-fghjkm", "abcde_fghjk", "abcde-fghj\u0000"])(
  "%j is none",
  (text) => expect(hashRecoveryCode(text)).toBeUndefined(),
);

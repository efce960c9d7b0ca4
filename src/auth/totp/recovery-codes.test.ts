import { describe, expect, test } from "bun:test";
import { hashRecoveryCode, makeRecoveryCode, splitRecoveryCode } from "./recovery-codes.ts";

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

describe("a recovery code behind a password", () => {
  const cases: [text: string, split: ReturnType<typeof splitRecoveryCode>][] = [
    ["passwordabcde-fgh23", { password: "password", code: "abcde-fgh23" }],
    ["pass-word ABCDE-FGH23", { password: "pass-word ", code: "ABCDE-FGH23" }],
    // Six digits are a code of the app, and never the end of one of these.
    ["passwordabcde-23456", { password: "password", code: "abcde-23456" }],
    ["passwordabcdefgh23", undefined],
    ["passwordabcde-fgh2", undefined],
    ["passwordabcde-fgh01", undefined],
    ["abcde-fgh23", undefined],
    ["", undefined],
  ];
  test.each(cases)("%j", (text, split) => expect(splitRecoveryCode(text)).toEqual(split as never));
});

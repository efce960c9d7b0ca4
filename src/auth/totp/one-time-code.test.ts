import { describe, expect, test } from "bun:test";
import { findStep, formatCode, STEP_SECONDS, splitAppended, stepAt } from "./one-time-code.ts";

/** The key of both RFCs. */
const KEY = Buffer.from("12345678901234567890");

describe("RFC 4226, appendix D", () => {
  const codes = [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
  ];
  test.each(codes.map((code, counter) => [counter, code] as const))("counter %i is %s", (counter, code) =>
    expect(formatCode(KEY, counter)).toBe(code),
  );
});

describe("RFC 6238, appendix B", () => {
  const codes: [seconds: number, code: string][] = [
    [59, "94287082"],
    [1_111_111_109, "07081804"],
    [1_111_111_111, "14050471"],
    [1_234_567_890, "89005924"],
    [2_000_000_000, "69279037"],
    [20_000_000_000, "65353130"],
  ];
  test.each(codes)("at %i s it is %s", (seconds, code) =>
    expect(formatCode(KEY, stepAt(seconds * 1000), 8)).toBe(code),
  );
});

describe("a code", () => {
  const nowMs = 1_234_567_890_000;
  const now = stepAt(nowMs);
  const find = (code: string, lastStep = 0) => findStep(KEY, code, { nowMs, lastStep });

  test("counts in its step, and in the one before and after", () => {
    for (const step of [now - 1, now, now + 1]) expect(find(formatCode(KEY, step))).toBe(step);
    for (const step of [now - 2, now + 2]) expect(find(formatCode(KEY, step))).toBeUndefined();
  });
  test("is never accepted twice, nor one older than an accepted one", () => {
    expect(find(formatCode(KEY, now), now)).toBeUndefined();
    expect(find(formatCode(KEY, now - 1), now)).toBeUndefined();
    expect(find(formatCode(KEY, now + 1), now)).toBe(now + 1);
  });
  test("changes with its step", () => {
    expect(stepAt(nowMs + STEP_SECONDS * 1000)).toBe(now + 1);
    expect(formatCode(KEY, now)).not.toBe(formatCode(KEY, now + 1));
  });
  for (const text of ["", "12345", "1234567", "12345a", "１２３４５６", "      ", "-12345"])
    test(`is not ${JSON.stringify(text)}`, () => expect(find(text)).toBeUndefined());
});

describe("a code behind a password", () => {
  const cases: [text: string, split: ReturnType<typeof splitAppended>][] = [
    ["password123456", { password: "password", code: "123456" }],
    ["pass 123 123456", { password: "pass 123 ", code: "123456" }],
    ["1234567", { password: "1", code: "234567" }],
    ["123456", undefined],
    ["password", undefined],
    ["password12345", undefined],
    ["", undefined],
  ];
  test.each(cases)("%j", (text, split) => expect(splitAppended(text)).toEqual(split as never));
});

import { describe, expect, test } from "bun:test";
import { parseSetting } from "./parse-setting.ts";
import type { SettingSpec, SettingType } from "./settings.ts";

const spec = (type: SettingType, extra: Partial<SettingSpec> = {}): SettingSpec => ({
  name: "QVD_X",
  type,
  fallback: "",
  doc: "",
  ...extra,
});

const GOOD: readonly [SettingType, string, unknown][] = [
  ["text", "", ""],
  ["text", "any thing", "any thing"],
  ["path", "/srv", "/srv"],
  ["path", "", ""],
  ["number", "0", 0],
  ["number", "8443", 8443],
  ["flag", "1", true],
  ["flag", "0", false],
  ["size", "512", 512],
  ["size", "4k", 4096],
  ["size", "20G", 20 * 2 ** 30],
  ["choice", "b", "b"],
];

const BAD: readonly [SettingType, string][] = [
  ["path", "srv"],
  ["number", ""],
  ["number", "-1"],
  ["number", "1.5"],
  ["number", "8443x"],
  ["number", "12345678901"],
  ["flag", "yes"],
  ["size", "G"],
  ["size", "1 G"],
  ["size", "1P"],
  ["choice", "d"],
];

describe("a setting's text", () => {
  test.each(GOOD)("of type %s %p is %p", (type, text, value) => {
    expect(parseSetting(spec(type, { choices: ["a", "b"] }), text)).toEqual({
      ok: true,
      value: value as string,
    });
  });

  test.each(BAD)("of type %s refuses %p by the setting's name", (type, text) => {
    const parsed = parseSetting(spec(type, { choices: ["a", "b"] }), text);
    expect(parsed).toMatchObject({ ok: false, fault: expect.stringContaining("QVD_X must be") });
  });

  test("is not repeated when it is a secret", () => {
    const parsed = parseSetting(spec("number", { isSecret: true }), "hunter2");
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });
});

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { isAppError } from "../lib/errors.ts";
import {
  decimalNumber,
  fieldErrors,
  idField,
  loginField,
  parseInput,
  passwordField,
  tagField,
  textField,
  wholeNumber,
} from "./input.ts";

const isGood = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe.each([
  [
    "a whole number",
    wholeNumber(1, 10),
    [1, 10, "7", " 7 ", "10.0"],
    [0, 11, "", " ", "x", "1x", 1.5, "1.5", null, undefined, true, Number.NaN, "1e1", [], {}],
  ],
  ["a decimal number", decimalNumber(0.1, 2), [0.1, "1.5", 2], [0, 2.1, "", "1,5", "Infinity", null]],
  ["an id", idField(), [1, "2147483647"], [0, "2147483648", "-1", "1; drop", ""]],
  [
    "a name",
    textField(1, 5),
    ["a", " abc ", "äöü"],
    ["", "  ", "abcdef", "a\tb", "a\u0000", "a\u007f", 5, null],
  ],
  [
    "a login",
    loginField,
    ["ann", " Ann ", "a.b-c_d", "josé"],
    ["", "a b", "a@b", "a#b", "a:b", "a/b", "a\\b", "a\nb"],
  ],
  [
    "a password",
    passwordField,
    ["12345678", " 2345 78", "x".repeat(128)],
    ["", "1234567", "x".repeat(129), 12345678],
  ],
  [
    "a tag",
    tagField,
    ["default", "1.0", "a_b-c.d", "x".repeat(64)],
    ["", ".a", "-a", "a b", "a/b", "x".repeat(65), "ä"],
  ],
] as const)("%s", (_, schema, good, bad) => {
  test.each(good.map((value) => [value]))("may be %p", (value) => {
    expect(isGood(schema, value)).toBe(true);
  });
  test.each(bad.map((value) => [value]))("may not be %p", (value) => {
    expect(isGood(schema, value)).toBe(false);
  });
});

test("a login is lower case and trimmed, a password is as typed", () => {
  expect(loginField.parse("  Ann ")).toBe("ann");
  expect(passwordField.parse(" pass word ")).toBe(" pass word ");
});

test("every bad field of an input is told, by its first fault", () => {
  const schema = z.object({ name: textField(1, 5), age: wholeNumber(1, 150), tag: tagField });
  try {
    parseInput(schema, { name: "", age: "old", tag: "ok" });
    throw new Error("was parsed");
  } catch (error) {
    expect(isAppError(error) && [error.code, error.field]).toEqual(["bad-input", "name"]);
    expect(fieldErrors(error)).toEqual({
      name: "must not be empty",
      age: "must be a whole number from 1 to 150",
    });
  }
});

test("no other error has fields", () => {
  expect(fieldErrors(new Error("x"))).toEqual({});
  expect(fieldErrors(undefined)).toEqual({});
});

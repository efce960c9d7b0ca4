import { expect, test } from "bun:test";
import { formatLiteral } from "./literal.ts";

test.each([
  [null, "null"],
  [true, "true"],
  [7, "7"],
  [-7.5, "(-7.5)"],
  [[1, 2], "'{1,2}'"],
  [[], "'{}'"],
  ["plain", "E'plain'"],
  ["it's", "E'it''s'"],
  ["a\\'; drop", "E'a\\\\''; drop'"],
])("%p is written as %s", (value, literal) => {
  expect(formatLiteral(value)).toBe(literal);
});

test("what the database has no value of is a bug", () => {
  for (const value of ["a\u0000b", Number.NaN, Number.POSITIVE_INFINITY, [1, Number.NaN]])
    expect(() => formatLiteral(value)).toThrow("broken invariant");
});

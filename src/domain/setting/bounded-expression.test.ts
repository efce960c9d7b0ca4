import { describe, expect, test } from "bun:test";
import { MOST_EXPRESSION_TEXT, refuseExpression } from "./bounded-expression.ts";

describe("may be run", () => {
  const texts = ["a".repeat(MOST_EXPRESSION_TEXT), "ab".repeat(MOST_EXPRESSION_TEXT / 2)];
  test.each([
    "",
    "expired",
    "^R00(4107|4109|4111|4173)\\b",
    "R004\\d+ .*(password|phrase) has expired",
    "data (?:532|773),",
    "[*+?(|]{3}",
    "\\(a\\+\\)\\+",
    "(?<code>R\\d{6}) (?=has)",
    "(abc)+",
    "a{,3}",
    // The worst that there are.
    "a*a*b",
    "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)a*a*b",
    "a?a?a?a?a?a?.*.*x",
  ])("%s, and ends soon", (source) => {
    expect(refuseExpression(source)).toBeUndefined();
    const beganMs = performance.now();
    for (const text of texts) new RegExp(source).test(text);
    expect(performance.now() - beganMs).toBeLessThan(2_000);
  });
});

describe("is refused", () => {
  test.each([
    ["(a+)+$", "must not repeat what repeats or chooses itself"],
    ["(a|a)*b", "must not repeat what repeats or chooses itself"],
    ["((a|b)c){2}", "must not repeat what repeats or chooses itself"],
    ["(?:x(a?)){30}a", "must not repeat what repeats or chooses itself"],
    ["(?<n>a+)*", "must not repeat what repeats or chooses itself"],
    ["(a)\\1", "must not refer back to what it has matched"],
    ["(?<n>a)\\k<n>", "must not refer back to what it has matched"],
    ["a*a*a*b", "must have 2 repetitions (* + {}) at most"],
    ["a?".repeat(30), "must have 6 choices (| ?) at most"],
    ["(a|a)".repeat(30), "must have 6 choices (| ?) at most"],
    ["(", "must be a regular expression"],
    ["[", "must be a regular expression"],
  ])("%s", (source, reason) => expect(refuseExpression(source)).toBe(reason));
});

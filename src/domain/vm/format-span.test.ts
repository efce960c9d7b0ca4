import { expect, test } from "bun:test";
import { formatSpan } from "./format-span.ts";

test("a span is told in the unit that a person would use", () => {
  const spans: readonly (readonly [number, string])[] = [
    [-5, "0 s"],
    [400, "0 s"],
    [90_000, "90 s"],
    [600_000, "10 min"],
    [3 * 3600_000, "3 h"],
    [3 * 86_400_000, "3 days"],
  ];
  for (const [ms, text] of spans) expect(formatSpan(ms)).toBe(text);
});

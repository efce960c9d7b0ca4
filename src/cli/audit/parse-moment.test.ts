import { expect, test } from "bun:test";
import { parseMoment } from "./parse-moment.ts";

const nowMs = Date.UTC(2026, 10, 22, 8);
const parse = (text: string) => parseMoment(text, { name: "since", nowMs });

test("is so long ago, or that moment", () => {
  expect(parse("30m")).toBe("2026-11-22T07:30:00.000Z");
  expect(parse("2h")).toBe("2026-11-22T06:00:00.000Z");
  expect(parse("7d")).toBe("2026-11-15T08:00:00.000Z");
  expect(parse("2026-11-20T10:00:00Z")).toBe("2026-11-20T10:00:00.000Z");
});

test("a day begins here, not in Greenwich", () => {
  expect(parse("2026-11-20")).toBe(new Date(2026, 10, 20).toISOString());
  expect(parse("2026-11-20 10:30")).toBe(new Date(2026, 10, 20, 10, 30).toISOString());
});

for (const text of ["", "yesterday", "2", "h", "0d", "-2h", "2026-13-01", "1 Nov", "9999999d"])
  test(`"${text}" is refused, and told how`, () =>
    expect(() => parse(text)).toThrow("--since must be like 2h"));

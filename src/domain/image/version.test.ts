import { expect, test } from "bun:test";
import { chooseVersion } from "./version.ts";

const now = new Date("2026-03-01T23:59:59Z");

test("the first of a day is number 000", () => {
  expect(chooseVersion(now, new Set())).toBe("2026-03-01-000");
});

test("a number that is taken is passed over, and a gap is used", () => {
  expect(chooseVersion(now, new Set(["2026-03-01-000", "2026-03-01-002"]))).toBe("2026-03-01-001");
});

test("yesterday's don't count", () => {
  expect(chooseVersion(now, new Set(["2026-02-28-000"]))).toBe("2026-03-01-000");
});

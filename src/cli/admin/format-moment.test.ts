import { expect, test } from "bun:test";
import { formatMoment } from "./format-moment.ts";

test("a moment is told in this computer's time, to the second", () => {
  const at = new Date(2026, 10, 22, 1, 4, 5, 678);
  expect(formatMoment(at.toISOString())).toBe("2026-11-22 01:04:05");
  expect(formatMoment(at.toISOString().replace(".678", ""))).toBe("2026-11-22 01:04:05");
});

test("what is no moment stays", () => {
  for (const text of ["", "-", "2026", "at 2026-11-22T01:04:05Z", "2026-11-22T01:04:05+01:00"])
    expect(formatMoment(text)).toBe(text);
});

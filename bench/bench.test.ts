import { describe, expect, test } from "bun:test";
import { figure, formatTable, median, percentile } from "./bench.ts";

describe("a figure", () => {
  test.each([
    [{ ours: 7.9, goal: { on: "ours", atMost: 8 } } as const, true],
    [{ ours: 8.1, goal: { on: "ours", atMost: 8 } } as const, false],
    [{ ours: 1, theirs: 2, goal: { on: "ratio", atMost: 0.5 } } as const, true],
    [{ ours: 1.2, theirs: 2, goal: { on: "ratio", atMost: 0.5 } } as const, false],
    [{ ours: 1 } as const, null],
  ])("of %p meets its goal: %p", (values, met) => {
    expect(figure("x", "MB", values).met).toBe(met);
  });

  test("judges the goal by the value measured, not by the rounded one", () => {
    expect(figure("x", "ms", { ours: 150.4, goal: { on: "ours", atMost: 150 } })).toMatchObject({
      ours: 150,
      met: false,
    });
  });

  test("has no ratio to nothing", () => {
    expect(
      figure("x", "ms", { ours: 1, beside: "nobody", theirs: 0, goal: { on: "ratio", atMost: 1 } }),
    ).toMatchObject({
      ratio: null,
      met: null,
    });
  });
});

describe("the table", () => {
  test("prints an unmet goal as unmet", () => {
    const table = formatTable([figure("memory", "MB", { ours: 9, goal: { on: "ours", atMost: 8 } })]);
    expect(table).toContain("UNMET");
    expect(table.split("\n")).toHaveLength(3);
  });
});

describe("percentiles", () => {
  test("interpolate between neighbours", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([1, 2])).toBe(1.5);
    expect(percentile([0, 10], 0.9)).toBe(9);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

/** The scale benchmark in small: that it still measures what it says, not how fast this machine is. */

import { describe, expect, test } from "bun:test";
import { runScale, sizeOf } from "../../bench/scale.ts";

describe("the scale benchmark", () => {
  test("is told its size as desktops and nodes", () => {
    expect(sizeOf("4000x400")).toMatchObject({ desktops: 4000, nodes: 400 });
    expect(() => sizeOf("many")).toThrow("QVD_SCALE");
  });

  test("starts and stops every desktop of a small site through PgBouncer", async () => {
    const io = { say: () => {}, signal: new AbortController().signal, words: [] };
    const size = { desktops: 60, nodes: 6, idleMs: 500 };
    const figures = await runScale(io, size, `/var/tmp/qvd-scale-test-${process.pid}`);
    for (const { figure, ours } of figures) expect([figure, Number.isFinite(ours)]).toEqual([figure, true]);
    const operations = figures.find(({ unit, goal }) => unit === "/s" && goal !== null);
    expect(operations?.ours).toBeGreaterThan(0);
  }, 120_000);
});

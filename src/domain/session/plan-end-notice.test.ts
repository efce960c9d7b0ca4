import { describe, expect, test } from "bun:test";
import { planEndNotice } from "./plan-end-notice.ts";

const MINUTE = 60_000;

describe("the announced end of a session", () => {
  test("is told 15, 5 and 1 minutes before, once each", () => {
    const told: number[] = [];
    let last: number | undefined;
    for (let left = 60 * MINUTE; left > -MINUTE; left -= 10_000) {
      const notice = planEndNotice(left, last);
      if (notice === undefined) continue;
      told.push(left / MINUTE);
      last = notice.atMs;
    }
    expect(told).toEqual([15, 5, 1]);
  });

  test("is told late rather than never, and then as it is", () => {
    expect(planEndNotice(7 * MINUTE, undefined)).toMatchObject({ atMs: 15 * MINUTE });
    expect(planEndNotice(7 * MINUTE, undefined)?.text).toContain("in 7 minutes");
    expect(planEndNotice(20_000, 5 * MINUTE)?.text).toContain("in a minute");
  });

  test("is told to nobody before its time, nor once it is over", () => {
    expect(planEndNotice(16 * MINUTE, undefined)).toBeUndefined();
    expect(planEndNotice(0, undefined)).toBeUndefined();
    expect(planEndNotice(-MINUTE, 5 * MINUTE)).toBeUndefined();
  });
});

import { describe, expect, test } from "bun:test";
import { createMemoryMarks } from "../../test/support/memory-marks.ts";
import { silentLog } from "../lib/log.ts";
import { MOST_LISTED_MARKS, markId, SiteMarks } from "./marks.ts";
import { SignInThrottle } from "./sign-in-throttle.ts";
import { SiteThrottle } from "./site-throttle.ts";
import { THROTTLE } from "./throttle.ts";

function create() {
  const time = { ms: 1_000_000 };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms };
  const store = createMemoryMarks(clock);
  const box = () => new SiteThrottle(new SignInThrottle(clock), new SiteMarks(store, silentLog()));
  /** One try; returns what it had to wait. */
  const tryAt = async (
    at: SiteThrottle,
    outcome: "failed" | "succeeded",
    { login = "ann", origin = "192.0.2.1" } = {},
  ): Promise<number> => {
    const attempt = await at.enter({ kind: "user", name: { login, tenant: "default" }, origin });
    if (attempt === "refuse") throw new Error("refused");
    time.ms += attempt.waitMs;
    attempt.begin();
    await attempt.end(outcome);
    return attempt.waitMs;
  };
  const failOften = async (
    at: SiteThrottle,
    times: number,
    from: { login?: string; origin?: string } = {},
  ) => {
    let waitMs = 0;
    for (let n = 0; n < times; n++) waitMs = await tryAt(at, "failed", from);
    return waitMs;
  };
  return { time, store, one: box(), other: box(), box, tryAt, failOften };
}

describe("whoever guesses", () => {
  test("gains nothing at another box, nor at one that begins anew", async () => {
    const { one, other, box, tryAt, failOften } = create();
    await failOften(one, THROTTLE.freeFailures + 1);
    const waits = [await tryAt(other, "failed"), await tryAt(box(), "failed"), await tryAt(one, "failed")];
    expect(waits).toEqual([THROTTLE.firstMs, 2 * THROTTLE.firstMs, 4 * THROTTLE.firstMs]);
  });

  test("from many addresses at many boxes is slowed down all the same", async () => {
    const { one, other, tryAt } = create();
    let waitMs = 0;
    for (let n = 0; n < 40; n++)
      waitMs = await tryAt(n % 2 === 0 ? one : other, "failed", { origin: `192.0.2.${n}` });
    expect(waitMs).toBeGreaterThan(0);
  });

  test("waits no longer when the database's clock is set back", async () => {
    const { one, store, tryAt, failOften } = create();
    await failOften(one, 1);
    const { read } = store;
    store.read = async (ids) => (await read(ids)).map((mark) => ({ ...mark, ageMs: mark.ageMs - 3_600_000 }));
    expect(await tryAt(one, "failed")).toBe(0);
    expect(await failOften(one, THROTTLE.freeFailures)).toBe(THROTTLE.firstMs);
  });

  test("is forgotten by all boxes after a success at one", async () => {
    const { one, other, tryAt, failOften } = create();
    await failOften(one, THROTTLE.freeFailures);
    await failOften(other, 1);
    expect(await tryAt(one, "succeeded")).toBeGreaterThan(0);
    expect(await failOften(other, THROTTLE.freeFailures)).toBe(0);
  });

  test("is listed and forgotten at any box", async () => {
    const { one, other, box, tryAt, failOften } = create();
    await failOften(one, THROTTLE.freeFailures + 2);
    const { slowed, total } = await other.list(10);
    expect(slowed).toMatchObject([{ lane: "pair", login: "ann", origin: "192.0.2.1", failures: 7 }]);
    expect(total).toBe(1);
    expect(await box().forget(slowed[0]?.id ?? "")).toBe(true);
    expect((await other.list(10)).total).toBe(0);
    expect(await other.forget(slowed[0]?.id ?? "")).toBe(false);
    expect(await tryAt(one, "failed")).toBe(0);
  });

  test("is forgotten after a while", async () => {
    const { time, one, other, tryAt, failOften } = create();
    await failOften(one, THROTTLE.freeFailures + 3);
    time.ms += THROTTLE.memoryMs + 1;
    expect(await tryAt(other, "failed")).toBe(0);
  });
});

describe("whoever proved themselves", () => {
  test("is known at every box while others guess at them", async () => {
    const { one, other, tryAt } = create();
    await tryAt(one, "succeeded");
    for (let n = 0; n < 60; n++) await tryAt(one, "failed", { origin: `198.51.100.${n}` });
    expect(await tryAt(other, "succeeded")).toBe(0);
    expect(await tryAt(other, "failed", { origin: "203.0.113.1" })).toBeGreaterThan(0);
  });

  test("is written down once in half a day", async () => {
    const { time, store, one, tryAt } = create();
    for (let n = 0; n < 5; n++) await tryAt(one, "succeeded");
    expect(store.writes).toBe(1);
    time.ms += 13 * 3_600_000;
    await tryAt(one, "succeeded");
    expect(store.writes).toBe(2);
  });
});

describe("while the database is away", () => {
  test("a box goes by its memory: it neither locks out nor opens up", async () => {
    const { store, one, tryAt, failOften } = create();
    await failOften(one, THROTTLE.freeFailures);
    store.isAway = true;
    expect(await failOften(one, 2)).toBe(THROTTLE.firstMs);
    expect(await tryAt(one, "succeeded", { login: "bob" })).toBe(0);
    expect((await one.list(10)).total).toBe(1);
  });

  test("it remembers those, too, whom a look at the worst thousand left out", async () => {
    const { store, one, failOften } = create();
    await failOften(one, THROTTLE.freeFailures + 1);
    const worst = Array.from({ length: MOST_LISTED_MARKS }, (_, n) => {
      const key = JSON.stringify([`198.51.100.${n}`]);
      return { id: markId("address", key), lane: "address", key, failures: 500, ageMs: 0 } as const;
    });
    store.list = async () => worst;
    await one.list(10);
    store.isAway = true;
    expect(await failOften(one, 1)).toBe(THROTTLE.firstMs);
  });

  test("what it counts is told when it is back", async () => {
    const { store, one, other, tryAt, failOften } = create();
    store.isAway = true;
    await failOften(one, THROTTLE.freeFailures);
    expect(await tryAt(other, "failed", { login: "bob" })).toBe(0);
    store.isAway = false;
    await failOften(one, 1);
    expect(await tryAt(other, "failed")).toBe(THROTTLE.firstMs);
  });
});

import { expect, test } from "bun:test";
import { createMemoryMarks } from "../../../test/support/memory-marks.ts";
import { silentLog } from "../../lib/log.ts";
import { SiteMarks } from "../marks.ts";
import { SignInThrottle } from "../sign-in-throttle.ts";
import { SiteThrottle } from "../site-throttle.ts";
import { Throttle } from "../throttle.ts";
import { CODE_LIMITS, CodeLimiter } from "./code-limiter.ts";

/** Two boxes of one site. */
function create() {
  const time = { ms: 0 };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms };
  const store = createMemoryMarks(clock);
  const marks = () => new SiteMarks(store, silentLog());
  const codes = new Throttle(clock, CODE_LIMITS);
  const box = () => new CodeLimiter({ marks: marks(), codes: new Throttle(clock, CODE_LIMITS) });
  const limiter = new CodeLimiter({ marks: marks(), codes });
  /** What administrators see at the first box, and at the second. */
  const lists = [codes, new Throttle(clock, CODE_LIMITS)].map(
    (one) => new SiteThrottle(new SignInThrottle(clock, one), marks()),
  );
  /** Whether a code was looked at; all are wrong but where told. */
  const guess = async (id: number, at = limiter, isRight = false) => {
    const owner = { kind: "user", login: `user-${id}`, tenant: "default", secondFactorId: id } as const;
    const attempt = await at.enter(owner);
    if (attempt === "refuse") return false;
    await attempt.end(isRight);
    return true;
  };
  const guessAll = async (id: number, at = limiter) => {
    while (await guess(id, at)) time.ms += 1;
  };
  return { time, store, limiter, other: box(), box, lists, guess, guessAll };
}

test("lets some codes be tried, then one after each longer wait", async () => {
  const { time, guess } = create();
  const burst = await Promise.all(Array.from({ length: 9 }, () => guess(1)));
  expect(burst.filter((isAdmitted) => isAdmitted).length).toBe(CODE_LIMITS.freeFailures + 1);
  time.ms += CODE_LIMITS.firstMs;
  expect([await guess(1), await guess(1)]).toEqual([true, false]);
  time.ms += CODE_LIMITS.firstMs;
  expect(await guess(1)).toBe(false);
  time.ms += CODE_LIMITS.firstMs;
  expect(await guess(1)).toBe(true);
});

test("lets so few be tried in a day that a guess is hopeless", async () => {
  const { time, guess } = create();
  let tries = 0;
  for (; time.ms < 86_400_000; time.ms += 5_000) if (await guess(1)) tries++;
  // Three codes of a million count at a time.
  expect((tries * 3) / 1_000_000).toBeLessThan(0.0005);
});

test("is for one second factor, over with a right code, and forgets", async () => {
  const { time, limiter, guess, guessAll } = create();
  for (let tries = 0; tries < CODE_LIMITS.freeFailures; tries++) await guess(1);
  expect(await guess(1, limiter, true)).toBe(true);
  await guessAll(1);
  expect(await guess(2)).toBe(true);
  time.ms += CODE_LIMITS.memoryMs;
  expect(await guess(1)).toBe(true);
});

test("is for all boxes together, and for those that begin anew", async () => {
  const { limiter, other, box, guess, guessAll, time } = create();
  await guessAll(1);
  expect(await guess(1, other)).toBe(false);
  expect(await guess(1, box())).toBe(false);
  time.ms += CODE_LIMITS.firstMs;
  expect(await guess(1, other, true)).toBe(true);
  expect(await guess(1, limiter)).toBe(true);
});

test("goes by a box's memory while the database is away, and tells of it afterwards", async () => {
  const { store, other, guess, guessAll, time } = create();
  store.isAway = true;
  await guessAll(1);
  expect(await guess(1)).toBe(false);
  expect(await guess(1, other)).toBe(true);
  store.isAway = false;
  expect(await guess(1)).toBe(false);
  time.ms += CODE_LIMITS.firstMs;
  await guess(1);
  expect(await guess(1, other)).toBe(false);
});

test("writes nothing for right codes", async () => {
  const { store, limiter, guess } = create();
  for (let tries = 0; tries < 3; tries++) await guess(1, limiter, true);
  expect(store.writes).toBe(0);
});

test("is shown to administrators at every box, of a tenant for its own, until one forgets it", async () => {
  const { lists, limiter, guess, guessAll } = create();
  await guessAll(7);
  const [here, there] = lists;
  if (here === undefined || there === undefined) throw new Error("there are two");
  const shown = {
    lane: "code",
    kind: "user",
    login: "user-7",
    tenant: "default",
    origin: undefined,
  } as const;
  const failures = CODE_LIMITS.freeFailures + 1;
  for (const list of [here, there])
    expect((await list.list(10)).slowed).toMatchObject([{ ...shown, failures, waitMs: expect.any(Number) }]);
  expect((await there.list(10, "other")).slowed).toEqual([]);
  const [one] = (await there.list(10, "default")).slowed;
  expect(await guess(7, limiter)).toBe(false);
  expect(await there.forget(one?.id ?? "")).toBe(true);
  expect((await here.list(10)).slowed).toEqual([]);
  expect(await guess(7, limiter)).toBe(true);
});

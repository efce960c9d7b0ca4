import { describe, expect, test } from "bun:test";
import { ACCOUNT_LANE, ADDRESS_LANE, SignInThrottle, type Who } from "./sign-in-throttle.ts";
import { THROTTLE } from "./throttle.ts";

function create() {
  const time = { ms: 1_000 };
  const throttle = new SignInThrottle({ nowMs: () => time.ms, monotonicMs: () => time.ms });
  /** One try after the other; returns what the last had to wait. */
  const tryAs = (login: string | undefined, origin: string, outcome: "failed" | "succeeded"): number => {
    const name = login === undefined ? undefined : { login, tenant: "default" };
    const attempt = throttle.enter({ kind: "user", name, origin });
    if (attempt === "refuse") throw new Error("refused");
    time.ms += attempt.waitMs;
    attempt.begin();
    attempt.end(outcome);
    return attempt.waitMs;
  };
  const who = (login: string, origin: string): Who => ({
    kind: "user",
    name: { login, tenant: "default" },
    origin,
  });
  return { time, throttle, tryAs, who };
}

describe("guessing", () => {
  test("one account from many addresses is slowed down", () => {
    const { tryAs } = create();
    const waits = Array.from({ length: 60 }, (_, n) => tryAs("ann", `192.0.2.${n}`, "failed"));
    expect(waits.slice(0, ACCOUNT_LANE.freeFailures).every((wait) => wait === 0)).toBe(true);
    expect(waits.at(-1)).toBe(ACCOUNT_LANE.mostMs);
  });

  test("many accounts from one address is slowed down", () => {
    const { tryAs } = create();
    const waits = Array.from({ length: 130 }, (_, n) => tryAs(`user${n}`, "192.0.2.1", "failed"));
    expect(waits.slice(0, ADDRESS_LANE.freeFailures).every((wait) => wait === 0)).toBe(true);
    expect(waits.at(-1)).toBe(ADDRESS_LANE.mostMs);
  });

  test("from one network of IPv6 is one guesser's, whatever address they take", () => {
    const { tryAs } = create();
    const waits = Array.from({ length: 12 }, (_, n) =>
      tryAs("ann", `2001:db8:0:1::${n.toString(16)}`, "failed"),
    );
    expect(waits.at(-1)).toBeGreaterThan(0);
    expect(tryAs("ann", "2001:0DB8::1:0:0:0:7", "failed")).toBeGreaterThan(0);
    expect(tryAs("ann", "2001:db8:0:2::1", "failed")).toBe(0);
  });

  test("is not washed clean by an account of one's own", () => {
    const { tryAs } = create();
    for (let n = 0; n < 120; n++) {
      tryAs(`user${n}`, "192.0.2.1", "failed");
      tryAs("mallory", "192.0.2.1", "succeeded");
    }
    expect(tryAs("user", "192.0.2.1", "failed")).toBe(ADDRESS_LANE.mostMs);
  });
});

describe("places to wait for a look at an account", () => {
  /** As many as may wait, from addresses that have guessed wrong so often each. */
  function crowd(wrong: number) {
    const all = create();
    const { throttle, tryAs, who, time } = all;
    const addresses = Array.from({ length: ACCOUNT_LANE.mostWaiting }, (_, n) => `192.0.2.${n}`);
    for (let n = 0; n < 31; n++) tryAs("ann", `203.0.113.${n}`, "failed");
    for (const address of addresses)
      for (let n = 0; n < wrong; n++) {
        time.ms += ACCOUNT_LANE.mostMs;
        tryAs("ann", address, "failed");
      }
    const waiting = addresses.map((address) => throttle.enter(who("ann", address)));
    expect(waiting).not.toContain("refuse");
    return { ...all, waiting };
  }

  test("go to its owner before addresses that have guessed wrong", () => {
    const { throttle, who, waiting } = crowd(1);
    expect(throttle.enter(who("ann", "198.51.100.7"))).not.toBe("refuse");
    const sentAway = waiting.filter((one) => one !== "refuse" && one.sentAway?.aborted);
    expect(sentAway).toEqual(waiting.slice(-1));
    // And to nobody who has guessed as often.
    expect(throttle.enter(who("ann", "192.0.2.0"))).toBe("refuse");
  });

  test("are refused while all others have tried as little", () => {
    const { throttle, who, waiting } = crowd(0);
    expect(throttle.enter(who("ann", "198.51.100.7"))).toBe("refuse");
    expect(waiting.some((one) => one !== "refuse" && one.sentAway?.aborted)).toBe(false);
  });

  test("are free again when one that was sent away has gone", () => {
    const { throttle, who, waiting, tryAs, time } = crowd(1);
    const owner = throttle.enter(who("ann", "198.51.100.7"));
    for (const one of [...waiting, owner])
      if (one !== "refuse") {
        one.begin();
        one.end("undecided");
      }
    time.ms += ACCOUNT_LANE.memoryMs;
    expect(tryAs("ann", "198.51.100.8", "succeeded")).toBe(0);
  });
});

describe("whoever proved themselves lately", () => {
  test("by what names its owner itself is known by that name", () => {
    const { throttle, tryAs, who } = create();
    for (let n = 0; n < 8; n++) tryAs("ann", "192.0.2.1", "failed");
    const attempt = throttle.enter({ kind: "user", name: undefined, origin: "192.0.2.1" });
    if (attempt === "refuse") throw new Error("refused");
    attempt.begin();
    attempt.end("succeeded", who("ann", "").name);
    expect(tryAs("ann", "192.0.2.1", "failed")).toBe(0);
    for (let n = 0; n < 60; n++) tryAs("ann", `203.0.113.${n}`, "failed");
    expect(tryAs("ann", "192.0.2.1", "failed")).toBe(0);
  });

  test("gets in at once from there while others guess at them", () => {
    const { tryAs, throttle, who } = create();
    tryAs("ann", "192.0.2.1", "succeeded");
    for (let n = 0; n < 60; n++) tryAs("ann", `198.51.100.${n}`, "failed");
    for (let n = 0; n < 200; n++) throttle.enter(who("ann", `203.0.113.${n}`));
    expect(tryAs("ann", "192.0.2.1", "succeeded")).toBe(0);
  });

  test("gets in at once behind an address with a guesser, who waits", () => {
    const { tryAs } = create();
    for (let n = 0; n < 50; n++) tryAs(`student${n}`, "192.0.2.1", "succeeded");
    for (let n = 0; n < 130; n++) tryAs(`name${n}`, "192.0.2.1", "failed");
    for (let n = 0; n < 50; n++) expect(tryAs(`student${n}`, "192.0.2.1", "succeeded")).toBe(0);
    expect(tryAs("name", "192.0.2.1", "failed")).toBeGreaterThan(0);
  });

  test("is slowed down for failures of their own there", () => {
    const { tryAs } = create();
    tryAs("ann", "192.0.2.1", "succeeded");
    const waits = Array.from({ length: 12 }, () => tryAs("ann", "192.0.2.1", "failed"));
    expect(waits.at(-1)).toBe(THROTTLE.mostMs);
  });

  test("is forgotten after a day, and when too many others came since", () => {
    const { tryAs, time, throttle, who } = create();
    tryAs("ann", "192.0.2.1", "succeeded");
    const asker = () => {
      const attempt = throttle.enter(who("ann", "192.0.2.1"));
      if (attempt === "refuse") throw new Error("refused");
      attempt.begin();
      attempt.end("undecided");
      return attempt.asker;
    };
    expect(asker()).not.toBe("192.0.2.1");
    time.ms += 86_400_001;
    expect(asker()).toBe("192.0.2.1");
    tryAs("ann", "192.0.2.1", "succeeded");
    for (let n = 0; n < 20_000; n++) tryAs(`u${n}`, "192.0.2.9", "succeeded");
    expect(asker()).toBe("192.0.2.1");
  });
});

test("a thousand people at once behind one address wait for nobody's verdict", () => {
  const { throttle, who } = create();
  for (let n = 0; n < 1_000; n++)
    expect(throttle.enter(who(`u${n}`, "192.0.2.1"))).toMatchObject({ waitMs: 0 });
});

test("a token, which nobody guesses, slows down nobody's passwords but its address's", () => {
  const { tryAs } = create();
  for (let n = 0; n < 90; n++) expect(tryAs(undefined, "192.0.2.1", "failed")).toBe(0);
  expect(tryAs("ann", "192.0.2.1", "failed")).toBe(0);
});

describe("the list", () => {
  test("tells who waits how long and where, and forgets one by its id", () => {
    const { tryAs, throttle } = create();
    for (let n = 0; n < 10; n++) tryAs("ann", "192.0.2.1", "failed");
    for (let n = 0; n < 40; n++) tryAs("bob", `198.51.100.${n}`, "failed");
    const { slowed, total } = throttle.list(10);
    expect(total).toBe(2);
    expect(slowed.find(({ lane }) => lane === "pair")).toMatchObject({
      ...{ kind: "user", login: "ann", tenant: "default", origin: "192.0.2.1", failures: 10 },
    });
    expect(slowed.find(({ lane }) => lane === "account")).toMatchObject({ login: "bob", origin: undefined });
    expect(throttle.list(1)).toMatchObject({ slowed: [{}], total: 2 });
    const [first] = slowed;
    expect(throttle.forget(first?.id ?? "")).toEqual(first);
    expect(throttle.forget(first?.id ?? "")).toBeUndefined();
    expect(throttle.list(10).total).toBe(1);
  });

  test("has nobody who is within their free failures", () => {
    const { tryAs, throttle } = create();
    for (let n = 0; n < 5; n++) tryAs("ann", "192.0.2.1", "failed");
    expect(throttle.list(10)).toEqual({ slowed: [], total: 0 });
  });
});

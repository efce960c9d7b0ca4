import { describe, expect, test } from "bun:test";
import { BoundedQueue } from "./bounded-queue.ts";
import { parseLoginName } from "./login.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { type Attempt, THROTTLE, Throttle } from "./throttle.ts";

const QVD_NAMES = { separators: "@#", tenant: "default" };

describe("login names", () => {
  const cases: [text: string, expected: unknown][] = [
    ["alice", { login: "alice", tenant: "default" }],
    ["ALICE", { login: "alice", tenant: "default" }],
    [" alice ", { login: "alice", tenant: "default" }],
    ["alice@acme", { login: "alice", tenant: "acme" }],
    ["alice#ACME ", { login: "alice", tenant: "acme" }],
    ["alice@default@x", { login: "alice", tenant: "default@x" }],
    ["alice#a@b", { login: "alice", tenant: "a@b" }],
    ["", undefined],
    ["  ", undefined],
    ["@acme", undefined],
    ["alice@", undefined],
    ["ali\u0000ce", undefined],
    ["alice@ac\u001bme", undefined],
  ];
  for (const [text, expected] of cases)
    test(`${JSON.stringify(text)} is read`, () =>
      expect(parseLoginName(text, QVD_NAMES)).toEqual(expected as never));

  test("are written as the site says", () => {
    const rules = { separators: "/+", tenant: "sales" };
    expect(parseLoginName("ann@example.org", rules)).toEqual({ login: "ann@example.org", tenant: "sales" });
    expect(parseLoginName("ann/acme", rules)).toEqual({ login: "ann", tenant: "acme" });
    expect(parseLoginName("ann", rules, "administrator")).toEqual({ login: "ann", tenant: "*" });
  });
});

describe("passwords", () => {
  test("match their hash and nothing else", async () => {
    const hash = await hashPassword("correct horse");
    expect(hash).toStartWith("$argon2id$v=19$m=47104,t=1,p=1$");
    expect(await verifyPassword("correct horse", hash)).toBe(true);
    expect(await verifyPassword("correct horsf", hash)).toBe(false);
    expect(await verifyPassword("", hash)).toBe(false);
    expect(await verifyPassword("x".repeat(5_000), hash)).toBe(false);
    expect(await verifyPassword("correct horse", "not a hash")).toBe(false);
  });
  test("have bounds, and say which", async () => {
    await expect(hashPassword("short")).rejects.toThrow("at least 8 characters");
    await expect(hashPassword("x".repeat(2_000))).rejects.toThrow("over 1024 bytes");
  });
});

describe("the queue", () => {
  test("runs so many at a time, lets so many wait, turns the rest away, and is well after a failure", async () => {
    const queue = new BoundedQueue({ atOnce: 2, waiting: 3 });
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    let running = 0;
    let most = 0;
    const results = Array.from({ length: 7 }, (_, index) =>
      queue.run(async () => {
        most = Math.max(most, ++running);
        await gates[index]?.promise;
        running--;
        if (index === 0) throw new Error("failed");
        return index;
      }),
    );
    for (const gate of gates) gate.resolve();
    const settled = await Promise.allSettled(results);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : "failed"))).toEqual([
      "failed",
      1,
      2,
      3,
      4,
      undefined,
      undefined,
    ]);
    expect(most).toBe(2);
    expect(await queue.run(async () => "again")).toBe("again");
  });

  test("keeps room for others when one asks for more than their share", async () => {
    const queue = new BoundedQueue({ atOnce: 1, waiting: 4, waitingOfOne: 2 });
    const gate = Promise.withResolvers<void>();
    const ask = (asker: string) =>
      queue.run(async () => {
        await gate.promise;
        return asker;
      }, asker);
    const results = ["bad", "bad", "bad", "bad", "good", "better", "best"].map(ask);
    gate.resolve();
    expect(await Promise.all(results)).toEqual(["bad", "bad", "bad", undefined, "good", "better", undefined]);
  });
});

describe("the throttle", () => {
  function create() {
    const time = { ms: 1_000 };
    const throttle = new Throttle({ nowMs: () => time.ms, monotonicMs: () => time.ms });
    const enter = (key = "k"): Attempt => {
      const attempt = throttle.enter(key);
      if (attempt === "refuse") throw new Error("refused");
      return attempt;
    };
    const end = (attempt: Attempt, outcome: "failed" | "succeeded" | "undecided") => {
      attempt.begin();
      attempt.end(outcome);
      return attempt.waitMs;
    };
    const fail = (times: number, key?: string) =>
      Array.from({ length: times }, () => end(enter(key), "failed"));
    const look = (key?: string) => end(enter(key), "undecided");
    return { time, throttle, enter, end, fail, look };
  }

  test("lets the free failures pass, then doubles the wait up to its bound", () => {
    const waits = create().fail(14);
    expect(waits).toEqual([0, 0, 0, 0, 0, 0, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
  });

  test("counts the tries of a burst before any has its verdict", () => {
    const { throttle } = create();
    const waits = Array.from({ length: 27 }, () => {
      const attempt = throttle.enter("k");
      return attempt === "refuse" ? "refuse" : attempt.waitMs;
    });
    expect(waits.slice(0, 10)).toEqual([0, 0, 0, 0, 0, 0, 500, 1_000, 2_000, "refuse"]);
    expect(new Set(waits.slice(9))).toEqual(new Set(["refuse"]));
  });

  test("lets one of a burst pass that comes when a wait is over", () => {
    const { time, fail, enter } = create();
    fail(20);
    time.ms += 8_000;
    expect([enter(), enter(), enter()].map(({ waitMs }) => waitMs)).toEqual([0, 8_000, 8_000]);
  });

  test("delays nobody who signs in several times at once, again and again", () => {
    const { enter, end } = create();
    for (let round = 0; round < 20; round++) {
      const attempts = [enter(), enter(), enter()];
      for (const attempt of attempts) expect(end(attempt, "succeeded")).toBe(0);
    }
  });

  test("counts no try that nobody looked at", () => {
    const { look } = create();
    for (let round = 0; round < 20; round++) expect(look()).toBe(0);
  });

  test("counts the wait from the last failure, and forgets after its time", () => {
    const { time, fail, enter, look } = create();
    fail(8);
    time.ms += 1_500;
    expect(enter().waitMs).toBe(500);
    time.ms += THROTTLE.memoryMs;
    expect(look()).toBe(0);
  });

  test("is over with a success, and knows keys apart", () => {
    const { fail, look, enter, end } = create();
    fail(9);
    expect(look("other")).toBe(0);
    end(enter(), "succeeded");
    expect(look()).toBe(0);
  });

  test("keeps counting those that are under way when one of them succeeds", () => {
    const { enter, end } = create();
    const attempts = Array.from({ length: 6 }, () => enter());
    for (const attempt of attempts.slice(0, 1)) end(attempt, "succeeded");
    expect(enter().waitMs).toBe(0);
    expect(enter().waitMs).toBe(500);
  });

  test("turns away when too many tries of a key wait", () => {
    const { throttle, fail, enter } = create();
    fail(9);
    const waiting = Array.from({ length: THROTTLE.mostWaiting }, () => enter());
    expect(throttle.enter("k")).toBe("refuse");
    waiting[0]?.begin();
    expect(throttle.enter("k")).not.toBe("refuse");
  });

  test("remembers a bounded number of keys, the latest", () => {
    const { fail, look } = create();
    fail(9, "first");
    for (let n = 0; n < THROTTLE.mostKeys; n++) fail(9, `key ${n}`);
    expect(look("first")).toBe(0);
    expect(look(`key ${THROTTLE.mostKeys - 1}`)).toBe(4_000);
  });
});

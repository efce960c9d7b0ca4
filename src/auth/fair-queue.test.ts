import { describe, expect, test } from "bun:test";
import { FairQueue, type Place, type Served } from "./fair-queue.ts";

/** Tasks that last until they are told to end; the clock goes by hand. */
function create(limits: { atOnce?: number; mostWaiting?: number } = {}) {
  const time = { ms: 0 };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms };
  const queue = new FairQueue({ atOnce: 1, mostWaiting: 100, firstTaskMs: 100, ...limits }, clock);
  const begun: string[] = [];
  const ending: (() => void)[] = [];
  const served: Promise<Served<string>>[] = [];
  const join = (name: string, more: Partial<Parameters<FairQueue["run"]>[1]> = {}) => {
    const task = async () => {
      begun.push(name);
      await new Promise<void>((end) => ending.push(end));
      return name;
    };
    const one = queue.run(task, { asker: name, mayWaitMs: 20_000, ...more });
    served.push(one);
    return one;
  };
  /** Ends the task that runs longest, after `ms`. */
  const end = async (ms = 100) => {
    time.ms += ms;
    ending.shift()?.();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { queue, join, end, begun, served };
}

describe("who waits", () => {
  test("is served as they came, as many at once as may be", async () => {
    const { join, end, begun, queue } = create({ atOnce: 2 });
    for (const name of ["a", "b", "c", "d"]) void join(name);
    expect(begun).toEqual(["a", "b"]);
    expect(queue.waitingCount).toBe(2);
    await end();
    expect(begun).toEqual(["a", "b", "c"]);
    await end();
    expect(begun).toEqual(["a", "b", "c", "d"]);
    expect(queue.waitingCount).toBe(0);
  });

  test("waits for one task of a crowd, however many are of one asker", async () => {
    const { join, end, begun } = create();
    for (let n = 0; n < 5; n++) void join(`crowd${n}`, { asker: "192.0.2.1" });
    void join("ann");
    void join("bob");
    for (let n = 0; n < 7; n++) await end();
    expect(begun).toEqual(["crowd0", "crowd1", "ann", "bob", "crowd2", "crowd3", "crowd4"]);
  });

  test("is told their place at once, and again and again", async () => {
    const { queue, join, end } = create();
    const [a, b]: [Place[], Place[]] = [[], []];
    void join("runs");
    void join("a", { onPlace: (place) => a.push(place) });
    void join("a2", { asker: "a" });
    void join("can't be told");
    void join("b", { onPlace: (place) => b.push(place) });
    queue.tellPlaces();
    await end();
    queue.tellPlaces();
    const place = (number: number) => ({ number, waitMs: number * 100 });
    expect({ a, b }).toEqual({ a: [place(1), place(1)], b: [place(3), place(3), place(2)] });
  });

  test("leaves when they wish, and nobody works for them", async () => {
    const { queue, join, end, begun } = create();
    const leaving = new AbortController();
    void join("runs");
    const left = join("leaves", { signal: leaving.signal });
    void join("stays");
    leaving.abort();
    expect(await left).toEqual({ outcome: "left" });
    expect(queue.waitingCount).toBe(1);
    await end();
    expect(begun).toEqual(["runs", "stays"]);
    leaving.abort();
    expect(await join("late", { signal: leaving.signal })).toEqual({ outcome: "left" });
  });
});

describe("who would wait too long", () => {
  test("is sent away by the pace as it was measured", async () => {
    const { queue, join, end } = create();
    void join("runs");
    void join("a", { mayWaitMs: 200 });
    void join("b", { mayWaitMs: 200 });
    expect((await join("c", { mayWaitMs: 200 })).outcome).toBe("full");
    // Slow ones make everybody's wait longer.
    for (let n = 0; n < 40; n++) {
      void join(`slow${n}`);
      await end(1_000);
    }
    // It would be 300 ms by the pace of before.
    expect((await join("d", { mayWaitMs: 1_000 })).outcome).toBe("full");
    for (let n = 0; n < 120; n++) {
      void join(`quick${n}`);
      await end(10);
    }
    const before = queue.waitingCount;
    for (let n = 0; n < 4; n++) void join(`e${n}`, { mayWaitMs: 200 });
    expect(queue.waitingCount).toBe(before + 4);
  });

  test("is not sent away for one slow task among quick ones", async () => {
    const { queue, join, end } = create();
    void join("slow");
    void join("a");
    await end(60_000);
    void join("b", { mayWaitMs: 150 });
    expect(queue.waitingCount).toBe(1);
  });

  test("hears when to come again: later, the more there are who wait", async () => {
    const { join } = create();
    const retryMs = async () => {
      const served = await join("late", { mayWaitMs: 1 });
      return served.outcome === "full" ? served.retryMs : 0;
    };
    void join("runs");
    void join("a");
    const early = await retryMs();
    for (let n = 0; n < 90; n++) void join(`b${n}`);
    expect(await retryMs()).toBeGreaterThan(early * 10);
  });

  test("is one over the bound, or over half of it of one asker", async () => {
    const { join } = create({ mostWaiting: 4 });
    void join("runs");
    for (let n = 0; n < 2; n++) void join(`crowd${n}`, { asker: "crowd" });
    expect((await join("crowd3", { asker: "crowd" })).outcome).toBe("full");
    void join("ann");
    void join("bob");
    expect((await join("ann")).outcome).toBe("full");
  });

  test("is one of those with the most who wait, when somebody with fewer comes to a full room", async () => {
    const { queue, join, end, begun, served } = create({ mostWaiting: 4 });
    void join("runs");
    for (const asker of ["x", "x", "y", "y"]) void join(asker, { asker });
    void join("ann");
    void join("bob");
    expect(queue.waitingCount).toBe(4);
    expect((await join("eve")).outcome).toBe("full");
    for (let n = 0; n < 5; n++) await end();
    expect(begun).toEqual(["runs", "x", "y", "ann", "bob"]);
    const outcomes = (await Promise.all(served)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["served", "served", "full", "served", "full", "served", "served", "full"]);
  });
});

test("a task that fails gives its place on, and its asker the failure", async () => {
  const { queue, join, begun } = create();
  const failing = queue.run(() => Promise.reject(new Error("away")), { asker: "a", mayWaitMs: 1_000 });
  void join("b");
  await expect(failing).rejects.toThrow("away");
  expect(begun).toEqual(["b"]);
});

import { describe, expect, test } from "bun:test";
import { isAppError } from "../../lib/errors.ts";
import { PendingOrders } from "./pending-orders.ts";

async function codeOf(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (isAppError(error) ? error.code : "thrown"),
  );
}

describe("PendingOrders", () => {
  test("resolves when the answer comes", async () => {
    const orders = new PendingOrders(2);
    const sent: number[] = [];
    const done = orders.place("stopping", 1000, (order) => sent.push(order));
    expect(orders.finish(sent[0] ?? 0)).toBe(true);
    expect(await codeOf(done)).toBe("done");
  });

  test("rejects with the guest's reason", async () => {
    const orders = new PendingOrders(2);
    const done = orders.place("preparing", 1000, (order) => {
      queueMicrotask(() =>
        orders.finish(order, { fault: "account-refused", text: "uid 0 is not for people" }),
      );
    });
    await expect(done).rejects.toThrow("preparing: uid 0 is not for people (account-refused)");
    expect(await codeOf(done)).toBe("guest-failed");
  });

  test("rejects at its deadline, and takes the late answer as no offence", async () => {
    const orders = new PendingOrders(2);
    expect(await codeOf(orders.place("stopping", 5, () => {}))).toBe("timeout");
    expect(orders.finish(1)).toBe(true);
  });

  test("knows an answer to an order that was never given", () => {
    expect(new PendingOrders(2).finish(1)).toBe(false);
  });

  test("refuses more orders than may wait", async () => {
    const orders = new PendingOrders(1);
    const first = codeOf(orders.place("stopping", 1000, () => {}));
    expect(await codeOf(orders.place("stopping", 1000, () => {}))).toBe("unavailable");
    orders.failAll("the agent went away");
    expect(await first).toBe("unavailable");
  });
});

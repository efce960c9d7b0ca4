import { describe, expect, test } from "bun:test";
import type { BrokerStore } from "../../broker/store.ts";
import { createLateStore } from "./late-store.ts";

describe("a store that is opened late", () => {
  test("is opened by the first who asks, once", async () => {
    let opened = 0;
    const store = createLateStore(async () => {
      opened++;
      const partial: Partial<BrokerStore> = { closeOrphans: async () => 3 };
      return partial as BrokerStore;
    });
    expect(opened).toBe(0);
    expect(await Promise.all([store.closeOrphans(), store.closeOrphans()])).toEqual([3, 3]);
    expect(opened).toBe(1);
  });

  test("answers with the reason while it can't be opened, and tries again", async () => {
    let tries = 0;
    const store = createLateStore(async () => {
      tries++;
      if (tries === 1) throw new Error("not registered yet");
      const partial: Partial<BrokerStore> = { closeOrphans: async () => 0 };
      return partial as BrokerStore;
    });
    await expect(store.closeOrphans()).rejects.toThrow("not registered yet");
    expect(await store.closeOrphans()).toBe(0);
  });
});

import { describe, expect, test } from "bun:test";
import { ByteReader } from "./byte-reader.ts";

describe("a stream read in steps", () => {
  test("gives what was asked for in whatever pieces it comes", async () => {
    const whole = Buffer.from("one two three");
    for (const size of [1, 2, 5, 20]) {
      const reader = new ByteReader();
      const taken = (async () => [await reader.take(4), await reader.take(4), await reader.take(5)])();
      for (let at = 0; at < whole.length; at += size) {
        reader.push(whole.subarray(at, at + size));
        await Promise.resolve();
      }
      expect((await taken).map(String)).toEqual(["one ", "two ", "three"]);
    }
  });

  test("keeps nothing of the chunk that it was given", async () => {
    const reader = new ByteReader();
    const chunk = Buffer.from("abc");
    reader.push(chunk);
    chunk.fill(0);
    expect(`${await reader.take(3)}`).toBe("abc");
  });

  test("lets much go by without waiting for all of it", async () => {
    const reader = new ByteReader();
    const skipped = reader.skip(40 * 1024 * 1024);
    for (let mega = 0; mega < 40; mega++) {
      reader.push(Buffer.alloc(1024 * 1024));
      await Bun.sleep(0);
    }
    reader.push(Buffer.from("x"));
    await skipped;
    expect(`${await reader.take(1)}`).toBe("x");
  });

  test("waits for nothing that is longer than any message", () => {
    expect(() => new ByteReader().take(2 ** 31)).toThrow("longer than any");
  });
});

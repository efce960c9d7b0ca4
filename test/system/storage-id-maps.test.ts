/** Held maps of id ranges, with the kernel's own. */

import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { IdMaps } from "../../src/storage/id-maps.ts";

const namespaceOf = (descriptor: number) => readlinkSync(`/proc/self/fd/${descriptor}`);
const range = (number: number) => ({ first: 7_000_000 + number * 65_536, count: 65_536 });

/** Namespaces that somebody of ours is in, or holds. */
const countHeld = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return namespaceOf(Number(fd)).startsWith("user:");
    } catch {
      // The folder's own descriptor is closed by now.
      return false;
    }
  }).length;

test("a range's map is made once, and two ranges have two", async () => {
  const maps = new IdMaps();
  const see = (number: number) => maps.use(range(number), async ({ descriptor }) => namespaceOf(descriptor));
  const [first, again, other] = [await see(1), await see(1), await see(2)];
  expect(first).toMatch(/^user:\[\d+\]$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test("those who come together share one", async () => {
  const maps = new IdMaps();
  const see = () => maps.use(range(3), async ({ descriptor }) => namespaceOf(descriptor));
  expect(new Set(await Promise.all([see(), see(), see()])).size).toBe(1);
  expect(maps.size).toBe(1);
});

test("of too many, the ones used longest ago are let go of, but none that is in use", async () => {
  const before = countHeld();
  const maps = new IdMaps(2);
  await maps.use(range(4), async (held) => {
    for (const number of [5, 6, 7]) await maps.use(range(number), async () => {});
    expect(namespaceOf(held.descriptor)).toStartWith("user:");
    expect(maps.size).toBe(2);
  });
  expect(countHeld() - before).toBe(2);
});

test("a failure of the work is the work's, and the map stays", async () => {
  const maps = new IdMaps();
  const failing = maps.use(range(8), async () => {
    throw new Error("no disk");
  });
  await expect(failing).rejects.toThrow("no disk");
  expect(maps.size).toBe(1);
});

test("a range that the kernel refuses is tried anew", async () => {
  const maps = new IdMaps();
  const asked = maps.use({ first: -1, count: 0 }, async () => {});
  await expect(asked).rejects.toThrow();
  expect(maps.size).toBe(0);
});

import { describe, expect, test } from "bun:test";
import { SpareKeys } from "./spare-keys.ts";

const A = 0x61;
const CAPITAL_A = 0x41;
const ENE = 0xf1;
const HAN = 0x1006f22;

/** A keyboard with an `a` and so many keys to spare. */
function openKeys(spare: readonly number[] = [93, 94]) {
  const keys = new Map<number, readonly number[]>([
    [38, [A, CAPITAL_A]],
    ...spare.map((code) => [code, []] as const),
  ]);
  const bound: [number, number][] = [];
  const clock = { ms: 0 };
  let reads = 0;
  const spareKeys = new SpareKeys({
    read: async () => {
      reads++;
      return [...keys]
        .map(
          ([code, list]) => `    ${code}    \t${list.map((one) => `0x${one.toString(16)} (x)`).join("\t")}\n`,
        )
        .join("");
    },
    bind: async (keycode, keysym) => {
      bound.push([keycode, keysym]);
      keys.set(keycode, [keysym, keysym]);
    },
    now: () => clock.ms,
  });
  return { spareKeys, bound, keys, clock, readCount: () => reads };
}

describe("a letter that the keyboard lacks", () => {
  test("gets a key of its own, once", async () => {
    const { spareKeys, bound } = openKeys();
    await spareKeys.ensure(ENE, false);
    await spareKeys.ensure(ENE, false);
    await spareKeys.ensure(HAN, true);
    expect(spareKeys.ensure(ENE, true)).toBeUndefined();
    expect(bound).toEqual([
      [94, ENE],
      [93, HAN],
    ]);
  });

  test("takes the key of the letter that got one first where none is left", async () => {
    const { spareKeys, bound } = openKeys([93]);
    await spareKeys.ensure(ENE, false);
    await spareKeys.ensure(HAN, false);
    await spareKeys.ensure(ENE, false);
    expect(bound.map(([, keysym]) => keysym)).toEqual([ENE, HAN, ENE]);
  });

  test("is no letter where the keyboard has neither key nor room", async () => {
    const { spareKeys, bound } = openKeys([]);
    await spareKeys.ensure(ENE, false);
    expect(bound).toEqual([]);
  });

  test("gets a key again when somebody took them away", async () => {
    const { spareKeys, bound, keys, clock } = openKeys([93]);
    await spareKeys.ensure(ENE, false);
    keys.set(93, []);
    clock.ms = 60_000;
    await spareKeys.ensure(ENE, false);
    // The first press only has the map read; the letter was known until then.
    await spareKeys.ensure(ENE, false);
    expect(bound).toHaveLength(2);
  });
});

test("a letter counts as there by what its key gives with Shift or without", async () => {
  const { spareKeys, bound } = openKeys();
  await spareKeys.ensure(A, false);
  await spareKeys.ensure(CAPITAL_A, true);
  expect(bound).toEqual([]);
  await spareKeys.ensure(CAPITAL_A, false);
  expect(bound).toEqual([[94, CAPITAL_A]]);
});

test.each([0xff0d, 0xffe1, 0xfe03, 0xffbe, 0])("keysym %p is no letter", (keysym) => {
  const { spareKeys, readCount } = openKeys();
  expect(spareKeys.ensure(keysym, false)).toBeUndefined();
  expect(readCount()).toBe(0);
});

import { describe, expect, test } from "bun:test";
import { mergeProperties, PROPERTY_KEY } from "./merge.ts";

describe("properties", () => {
  test("of a desktop win over its user's, those over the image's, those over the OSF's, in whatever order", () => {
    const all = (["vm", "osf", "user", "image"] as const).flatMap((from) => {
      const keys = { osf: "abcd", image: "bcd", user: "cd", vm: "d" }[from];
      return [...keys].map((key) => ({ key, value: from, from }));
    });
    for (const order of [all, [...all].reverse()]) {
      const merged = mergeProperties(order).map(({ key, from }) => `${key}:${from}`);
      expect(merged.sort()).toEqual(["a:osf", "b:image", "c:user", "d:vm"]);
    }
  });

  test("an empty value wins too", () => {
    const empty = { key: "a", value: "", from: "user" } as const;
    expect(mergeProperties([{ key: "a", value: "1", from: "osf" }, empty])).toEqual([empty]);
  });

  for (const key of ["printer", "cost.centre", "a-b_c", "0", "x".repeat(128)])
    test(`a key may be ${key.slice(0, 20)}`, () => expect(key).toMatch(PROPERTY_KEY));
  for (const key of ["", " ", "-rf", ".a", "a=b", "a b", "ä", "a\n", "x".repeat(129)])
    test(`a key may not be ${JSON.stringify(key.slice(0, 20))}`, () => expect(key).not.toMatch(PROPERTY_KEY));
});

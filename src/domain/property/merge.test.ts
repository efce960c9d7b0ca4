import { describe, expect, test } from "bun:test";
import { mergeProperties, PROPERTY_KEY } from "./merge.ts";

describe("properties", () => {
  test("of a desktop win over its user's, those over the image's, those over the OSF's", () => {
    const all = (value: string) => ({ a: value, b: value, c: value, d: value });
    const merged = mergeProperties({
      osf: all("osf"),
      image: { b: "image", c: "image", d: "image" },
      user: { c: "user", d: "user" },
      vm: { d: "vm" },
    });
    expect(merged).toEqual({ a: "osf", b: "image", c: "user", d: "vm" });
  });

  test("an empty value wins too", () => {
    expect(mergeProperties({ osf: { a: "1" }, image: {}, user: { a: "" }, vm: {} })).toEqual({ a: "" });
  });

  for (const key of ["printer", "cost.centre", "a-b_c", "0", "x".repeat(128)])
    test(`a key may be ${key.slice(0, 20)}`, () => expect(key).toMatch(PROPERTY_KEY));
  for (const key of ["", " ", "-rf", ".a", "a=b", "a b", "ä", "a\n", "x".repeat(129)])
    test(`a key may not be ${JSON.stringify(key.slice(0, 20))}`, () => expect(key).not.toMatch(PROPERTY_KEY));
});

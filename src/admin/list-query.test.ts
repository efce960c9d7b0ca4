import { describe, expect, test } from "bun:test";
import { hrefWith, parseListQuery, sortParam } from "./list-query.ts";

const SORTS = ["name", "state"] as const;
const parse = (text: string) => parseListQuery(new URLSearchParams(text), SORTS);

describe("the query of a list", () => {
  test("is the first page in the first order when nothing is said", () => {
    expect(parse("")).toEqual({ search: "", sort: "name", direction: "up", page: 1, pageSize: 25 });
  });

  test("takes what is said", () => {
    expect(parse("search=%20ann%20&sort=-state&page=3&pageSize=50")).toEqual({
      ...{ search: "ann", sort: "state", direction: "down" },
      ...{ page: 3, pageSize: 50 },
    });
  });

  const ODD: readonly (readonly [string, string, unknown])[] = [
    ["page=0", "page", 1],
    ["page=-4", "page", 1],
    ["page=1.5", "page", 1],
    ["page=NaN", "page", 1],
    ["page=999999999", "page", 100_000],
    ["pageSize=100000", "pageSize", 200],
    ["sort=password", "sort", "name"],
    ["sort=-password", "direction", "up"],
    ["search=%00a%1bb", "search", "ab"],
    [`search=${"x".repeat(500)}`, "search", "x".repeat(100)],
  ];
  for (const [text, field, value] of ODD) {
    test(`takes ${text.slice(0, 30)} for ${field} ${String(value).slice(0, 20)}`, () => {
      expect(Reflect.get(parse(text), field)).toBe(value);
    });
  }
});

test("an address leaves out what says nothing", () => {
  expect(hrefWith("/desktops", { search: "", state: undefined, page: 1 })).toBe("/desktops");
  expect(hrefWith("/desktops", { search: "a&b", page: 2 })).toBe("/desktops?search=a%26b&page=2");
  expect(sortParam("name", "down")).toBe("-name");
});

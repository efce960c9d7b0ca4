import { expect, test } from "bun:test";
import { pageBounds, pageOf } from "./page.ts";

test.each([
  [
    { page: 1, pageSize: 20 },
    { limit: 20, offset: 0 },
  ],
  [
    { page: 3, pageSize: 20 },
    { limit: 20, offset: 40 },
  ],
  [
    { page: 0, pageSize: 20 },
    { limit: 20, offset: 0 },
  ],
  [
    { page: -7, pageSize: -1 },
    { limit: 1, offset: 0 },
  ],
  [
    { page: Number.NaN, pageSize: Number.NaN },
    { limit: 1, offset: 0 },
  ],
  [
    { page: 1.9, pageSize: 10.9 },
    { limit: 10, offset: 0 },
  ],
  [
    { page: 1, pageSize: 1e9 },
    { limit: 500, offset: 0 },
  ],
  [
    { page: Number.POSITIVE_INFINITY, pageSize: 10 },
    { limit: 10, offset: 9_999_990 },
  ],
])("%p is read as %p", (request, bounds) => {
  expect(pageBounds(request)).toEqual(bounds);
});

test("a page tells where it is and how many there are in all", () => {
  expect(pageOf({ page: 2, pageSize: 10 }, ["k"], 11)).toEqual({
    items: ["k"],
    total: 11,
    page: 2,
    pageSize: 10,
  });
});

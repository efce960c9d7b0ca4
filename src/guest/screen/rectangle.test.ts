import { describe, expect, test } from "bun:test";
import { enclose, gather, holds, intersect, type Rectangle } from "./rectangle.ts";

const at = (x: number, y: number, width: number, height: number): Rectangle => ({ x, y, width, height });

test.each([
  [at(0, 0, 10, 10), at(5, 6, 10, 10), at(5, 6, 5, 4)],
  [at(0, 0, 10, 10), at(2, 2, 3, 3), at(2, 2, 3, 3)],
  [at(0, 0, 10, 10), at(10, 0, 5, 5), undefined],
  [at(0, 0, 10, 10), at(-5, -5, 7, 7), at(0, 0, 2, 2)],
])("of %p and %p both hold %p", (one, other, both) => {
  expect(intersect(one, other)).toEqual(both);
  expect(intersect(other, one)).toEqual(both);
});

test("a rectangle holds itself and what it encloses, and nothing that sticks out", () => {
  const [one, other] = [at(3, 3, 4, 4), at(5, 1, 9, 2)];
  expect(holds(one, one)).toBe(true);
  expect(holds(enclose(one, other), other)).toBe(true);
  expect(holds(one, other)).toBe(false);
});

describe("rectangles are gathered", () => {
  test("where one for both is hardly larger", () => {
    expect(gather([at(0, 0, 100, 10), at(0, 10, 100, 10)], 4, 0)).toEqual([at(0, 0, 100, 20)]);
  });

  test("not where one for both would hold much besides", () => {
    const far = [at(0, 0, 10, 10), at(500, 500, 10, 10)];
    expect(gather(far, 4, 0)).toEqual(far);
  });

  test("once a third has brought two together", () => {
    const three = [at(0, 0, 10, 10), at(20, 0, 10, 10), at(10, 0, 10, 10)];
    expect(gather(three, 4, 0)).toEqual([at(0, 0, 30, 10)]);
  });

  test("so that there are never more than so many, which hold all of them", () => {
    const many = Array.from({ length: 40 }, (_, i) => at((i * 137) % 900, (i * 71) % 700, 5 + i, 5));
    const few = gather(many, 4, 0);
    expect(few.length).toBeLessThanOrEqual(4);
    for (const one of many) expect(few.some((whole) => holds(whole, one))).toBe(true);
  });
});

import { expect, test } from "bun:test";
import { parseTicks } from "./quiet.ts";

const STAT = `cpu  60 6 66 660 60 6 6 6 600 60
cpu0 10 1 11 110 10 1 1 1 100 10
cpu1 20 2 22 220 20 2 2 2 200 20
cpu11 30 3 33 330 30 3 3 3 300 30
intr 5 6
`;

test("counts the time of some processors, a guest's once", () => {
  expect(parseTicks(STAT, [1])).toEqual({ idle: 220, all: 290 });
  expect(parseTicks(STAT, [0, 11])).toEqual({ idle: 440, all: 145 + 435 });
  expect(parseTicks(STAT, [7])).toEqual({ idle: 0, all: 0 });
});

import { expect, test } from "bun:test";
import { chooseCores } from "./cores.ts";

test("gives relays the first core and the load the others", () => {
  expect(chooseCores([2, 3, 5], 4).relay.at(-1)).toBe("2");
  expect(chooseCores([2, 3, 5], 4).load.at(-1)).toBe("3,5");
});

test("shares the only core where there is one", () => {
  expect(chooseCores([4], 1).load.at(-1)).toBe("4");
});

test("gives what takes part beside the cores that the bench may not use, if there are any", () => {
  expect(chooseCores([0, 1], 4).beside.at(-1)).toBe("2,3");
  expect(chooseCores([0, 1, 2], 3).beside.at(-1)).toBe("1,2");
});
